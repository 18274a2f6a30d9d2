/** What differs between ClickHouse servers, judged once: no version check stands anywhere else in this sink. */

export interface Capabilities {
  /** Such as `18.16.1`. */
  readonly version: string
  /** ReplacingMergeTree takes the column that says that a row is deleted. */
  readonly isDeleted: boolean
  readonly bool: boolean
  /** Date32 and DateTime64 are there, and hold 1900 to 2299. */
  readonly dates: boolean
  /** LowCardinality(String), also Nullable, without asking for experiments. */
  readonly lowCardinality: boolean
  /** Digits of the widest Decimal. */
  readonly decimalDigits: 38 | 76
  /** What a Float64 reads from text is the nearest that it has: an old server's may be the next one. */
  readonly exactFloats: boolean
  readonly deduplicationToken: boolean
  /** Of columns that name no time zone. */
  readonly zone: string
  /** The settings that it knows. */
  readonly settings: ReadonlySet<string>
}

export function capabilitiesOf(
  version: string,
  zone: string,
  types: ReadonlySet<string>,
  settings: ReadonlySet<string>
): Capabilities {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const since = (year: number, release: number) => major > year || (major === year && minor >= release)
  return {
    version,
    isDeleted: since(23, 2),
    bool: types.has('Bool'),
    // Before, they were there but held fewer years.
    dates: since(22, 8) && types.has('Date32') && types.has('DateTime64'),
    lowCardinality: since(20, 1) && types.has('LowCardinality'),
    decimalDigits: types.has('Decimal256') ? 76 : 38,
    exactFloats: settings.has('precise_float_parsing'),
    deduplicationToken: settings.has('insert_deduplication_token'),
    zone,
    settings
  }
}

/** What views on a topic need (topic/); servers that are older are written to by us. */
export const current: Capabilities = capabilitiesOf(
  '23.2',
  'UTC',
  new Set(['Bool', 'Date32', 'DateTime64', 'LowCardinality', 'Decimal256']),
  new Set(['precise_float_parsing', 'insert_deduplication_token'])
)

/** Whether it chooses the same types, and the same engine. */
export const isCurrent = (can: Capabilities): boolean =>
  (['isDeleted', 'bool', 'dates', 'lowCardinality', 'decimalDigits', 'exactFloats'] as const).every(
    name => can[name] === current[name]
  )

/**
 * What rows mean while they are read, whatever the user's profile says. Each stands for a way in which values would be changed, rows be
 * left out, or an insert be called done before it is.
 */
const pins: Readonly<Record<string, string>> = {
  async_insert: '0',
  date_time_input_format: 'basic',
  format_tsv_null_representation: '\\N',
  input_format_allow_errors_num: '0',
  input_format_allow_errors_ratio: '0',
  input_format_defaults_for_omitted_fields: '1',
  input_format_null_as_default: '0',
  // A first row that holds the columns' names would be taken for a heading.
  input_format_tsv_detect_header: '0',
  input_format_tsv_skip_first_lines: '0',
  input_format_tsv_crlf_end_of_line: '0',
  input_format_tsv_empty_as_default: '0',
  input_format_tsv_enum_as_number: '0',
  input_format_tsv_allow_variable_number_of_columns: '0',
  precise_float_parsing: '1',
  session_timezone: ''
}

/** The pins that this server knows. */
export function insertPins({ settings }: Pick<Capabilities, 'settings'>): Record<string, string> {
  return Object.fromEntries(Object.entries(pins).filter(([name]) => settings.has(name)))
}
