import { describe, expect, test } from 'vitest'
import { firstMatch, namePattern } from '../../src/postgres/patterns.js'

const fits = (pattern: string, name: string, schema = 'public') => namePattern(pattern)({ schema, name })

describe('psql patterns', () => {
  test.each<[string, string, boolean]>([
    ['orders', 'orders', true],
    ['orders', 'orders_old', false],
    ['ORDERS', 'orders', true],
    ['orders', 'ORDERS', false],
    ['"ORDERS"', 'ORDERS', true],
    ['ord*', 'orders', true],
    ['*', 'anything', true],
    ['order?', 'orders', true],
    ['order?', 'order', false],
    ['"a*b"', 'a*b', true],
    ['"a*b"', 'axb', false],
    ['"a.b"', 'a.b', true],
    ['"we ""ird"', 'we "ird', true],
    ['a+b', 'a+b', true],
    ['a+b', 'aab', false],
    ['a(b', 'a(b', true],
    ['日*', '日本', true],
    ['?', '𝒳', true],
    ['a-b', 'a-b', true],
    ['line', 'line\nbreak', false]
  ])('%s, %s', (pattern, name, expected) => expect(fits(pattern, name)).toBe(expected))

  test('a schema before the dot', () => {
    expect(fits('sales.orders', 'orders', 'sales')).toBe(true)
    expect(fits('sales.orders', 'orders')).toBe(false)
    expect(fits('*.orders', 'orders', 'sales')).toBe(true)
    expect(fits('"Sales".o*', 'orders', 'Sales')).toBe(true)
    expect(fits('orders', 'orders', 'sales')).toBe(true)
  })

  test('the first pattern that fits gives its value', () => {
    const table = { schema: 'public', name: 'orders' }
    expect(firstMatch({ 'x*': 1, 'o*': 2, orders: 3 }, table)).toBe(2)
    expect(firstMatch({ x: 1 }, table)).toBeUndefined()
  })
})
