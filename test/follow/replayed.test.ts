/** Dead letters that are given again, where main need not be asked. What main says is tried on brokers (brokers/). */
import { expect, test } from 'vitest'
import { ConfigError, FollowError } from '../../src/core/errors.js'
import type { Change } from '../../src/follow/ports.js'
import { asMainHasThem } from '../../src/follow/replayed.js'
import { Author, itemsTable } from '../contracts/sink.js'

const items = itemsTable()
const author = new Author()
const replay = (replayed: Change, ...others: Change[]) =>
  asMainHasThem(author.batch(replayed, ...others), new Set([replayed]), undefined)

test('a TRUNCATE is not made later than it was', async () => {
  const late = replay(author.change(items, 'truncate'))
  await expect(late).rejects.toThrow(/a TRUNCATE of public.items_\d+ is not made later than it was/)
  await expect(late).rejects.toBeInstanceOf(FollowError)
})

test('a row is not written as it was', async () => {
  await expect(replay(author.remove(items, '1'))).rejects.toThrow(ConfigError)
})

test('rows without a key, and what comes for the first time, are as they are', async () => {
  const keyless = author.insert({ ...items, keyLength: 0 }, '1', 'one', null, null)
  const first = [author.remove(items, '2'), author.change(items, 'truncate')]
  const { changes } = await replay(keyless, ...first)
  expect(changes).toEqual([keyless, ...first])
})
