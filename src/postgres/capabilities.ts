/** What one server can do, judged once from its version: no other file asks for a version. */

export interface Capabilities {
  /** `hash_record_extended`, and with it `bit_xor` as an aggregate (14). */
  hashRecord: boolean
  /** `hashtextextended` and `sha256` (11). */
  hashText: boolean
  /** Range scans over ctid (14). */
  tidRange: boolean
  identity: boolean
  generated: boolean
  partitions: boolean
  /** Collations with a provider and a version (10), and nondeterministic ones (12). */
  collationProvider: boolean
  collationDeterministic: boolean
  /** `datcollversion` and its like (15). */
  databaseCollationVersion: boolean
  /** What the catalogs call a locale that is not libc's, after `dat` or `coll`: `iculocale` (15), `locale` (17). */
  localeColumn: string | undefined
  /** A collation may have rules of its own (16). */
  localeRules: boolean
  /** Index columns that are only carried (`INCLUDE`, 11). */
  indexInclude: boolean
  /** Floats print in their shortest exact form (12). */
  shortestFloats: boolean
  /** `pg_control_system()` (9.6). */
  controlSystem: boolean
  /** A hot standby can export a snapshot, and WAL functions say `lsn` (10). */
  lsnNames: boolean
  /** `pg_stat_progress_copy` (14). */
  copyProgress: boolean
  /** `txid_status()` (10). */
  transactionStatus: boolean
  /** `client_connection_check_interval` (14), where the server's system has it. */
  clientCheck: boolean
  /** Parallel query (9.6). */
  parallel: boolean
  /** CALL, and `pg_proc.prokind` (11). */
  procedures: boolean
  /** `INSERT … ON CONFLICT` on a partitioned table (11). */
  upsertThroughParent: boolean
  /** `pg_attribute.attcompression`, `pg_range.rngmultitypid` and `pg_proc.prosqlbody` (14). */
  columnCompression: boolean
  multirange: boolean
  sqlBodies: boolean
  /** Tables have access methods, and functions planner support (12). */
  accessMethods: boolean
  supportFunctions: boolean
  /** `pg_constraint.conparentid` (11), `pg_trigger.tgparentid` (13): what a partition was given by its parent. */
  constraintParents: boolean
  triggerParents: boolean
  /** Publications of schemas, of columns and of rows, and unlogged sequences (15). */
  publicationDetails: boolean
  unloggedSequences: boolean
  /** Publications and `pgoutput` (10), which tell of TRUNCATE (11) and of partitions as their parent (13). */
  publications: boolean
  publicationTruncate: boolean
  publicationRoot: boolean
  /** The privilege MAINTAIN (17). */
  maintain: boolean
}

/** @param version as in `server_version_num`, such as 150020. */
export function capabilitiesOf(version: number): Capabilities {
  const from = (number: number) => version >= number
  return {
    hashRecord: from(140000),
    hashText: from(110000),
    tidRange: from(140000),
    identity: from(100000),
    generated: from(120000),
    partitions: from(100000),
    collationProvider: from(100000),
    collationDeterministic: from(120000),
    databaseCollationVersion: from(150000),
    localeColumn: from(170000) ? 'locale' : from(150000) ? 'iculocale' : undefined,
    localeRules: from(160000),
    indexInclude: from(110000),
    shortestFloats: from(120000),
    controlSystem: from(90600),
    lsnNames: from(100000),
    copyProgress: from(140000),
    transactionStatus: from(100000),
    clientCheck: from(140000),
    parallel: from(90600),
    procedures: from(110000),
    upsertThroughParent: from(110000),
    columnCompression: from(140000),
    multirange: from(140000),
    sqlBodies: from(140000),
    accessMethods: from(120000),
    supportFunctions: from(120000),
    constraintParents: from(110000),
    triggerParents: from(130000),
    publicationDetails: from(150000),
    unloggedSequences: from(150000),
    publications: from(100000),
    publicationTruncate: from(110000),
    publicationRoot: from(130000),
    maintain: from(170000)
  }
}
