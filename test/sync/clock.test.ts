import { describe, expect, test } from 'vitest'
import { atMoment } from '../../src/sync/clock.js'

const time = '2024-05-06 07:08:09.123456+00'
const moment = `('${time}'::timestamptz)`

describe('a filter’s clock', () => {
  test.each([
    [`a > now() - interval '1 year'`, `a > ${moment} - interval '1 year'`],
    ['a > NOW ( )', `a > ${moment}`],
    ['a > pg_catalog.now()', `a > ${moment}`],
    ['a > Current_Timestamp AND b < clock_timestamp()', `a > ${moment} AND b < ${moment}`],
    ['a > transaction_timestamp()', `a > ${moment}`],
    ['d >= current_date - 7', `d >= (('${time}'::timestamptz AT TIME ZONE 'UTC')::date) - 7`],
    ['l > localtimestamp', `l > ('${time}'::timestamptz AT TIME ZONE 'UTC')`]
  ])('%s', (condition, expected) => expect(atMoment(condition, time)).toBe(expected))

  test.each([
    `v = 'now()'`,
    `v = 'it''s now()'`,
    `v = E'\\' now()'`,
    `"now()" = 1 AND "current_date" = 2`,
    'v = $$now()$$ OR v = $x$current_date$x$',
    'a -- now()',
    'a /* current_date */ > 1',
    'mine.now() > a AND t.current_date > 1',
    'known() AND current_dates > 1',
    'nower > 1'
  ])('leaves alone what is none: %s', condition => expect(atMoment(condition, time)).toBe(condition))
})
