/**
 * Numbers as PostgreSQL prints them: the fewest digits that tell the value, which are JavaScript's as well, but with other rules on
 * when an exponent stands behind them.
 */

/** @param digits from which power of ten on an exponent is written: 6 for real, 15 for double precision. */
export function floatText(value: number, digits: 6 | 15): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0'
  const [mantissa = '', power = ''] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < digits) return plain(mantissa, exponent)
  const size = String(Math.abs(exponent)).padStart(2, '0')
  return `${mantissa}e${exponent < 0 ? '-' : '+'}${size}`
}

/** The digits with the point moved. */
function plain(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const all = mantissa.replace(/[-.]/g, '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${all}`
  const whole = all.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const rest = all.slice(exponent + 1)
  return rest === '' ? sign + whole : `${sign}${whole}.${rest}`
}
