import { expect, test } from 'vitest'
import { addSecret, redact } from '../../src/core/redact.js'

test.each([
  ['postgres://u:pw@h/d', 'postgres://u:***@h/d'],
  ['amqp://u:pw@h', 'amqp://u:***@h'],
  ['postgres://u:p@ss/w:rd@h/d', 'postgres://u:***@h/d'],
  ['postgres://u@h/d', 'postgres://u@h/d'],
  ['postgres://h:5432/d', 'postgres://h:5432/d'],
  ['host=h password=pw user=u', 'host=h password=*** user=u'],
  [`password = 'it\\'s it' user=u`, 'password = *** user=u'],
  ['PASSWORD=pw', 'PASSWORD=***'],
  ['?user=u&password=pw&x=1', '?user=u&password=***&x=1'],
  ['no secret here', 'no secret here']
])('%s', (text, expected) => expect(redact(text)).toBe(expected))

test('a secret is found wherever it stands, also percent-encoded, and one that holds another as a whole', () => {
  addSecret('hunter')
  addSecret('hunter2 and more')
  addSecret('ß/@')
  expect(redact('x hunter y, hunter2 and more! ß/@ %C3%9F%2F%40')).toBe('x *** y, ***! *** ***')
})

test('what is too short to be told from words is left', () => {
  addSecret('ab')
  addSecret(undefined)
  expect(redact('abc')).toBe('abc')
})
