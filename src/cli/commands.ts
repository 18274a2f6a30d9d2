/** The commands: what each is called, says of itself in help, and where it is. One is loaded when it is asked for. */
import type { Command } from './commands/command.js'

export const commands: readonly Command[] = [
  {
    name: 'sync',
    describe: 'Make the standby the same as main: structure, then rows',
    examples: [
      ['--maindsn postgres://me@db1/shop --standindsn postgres://me@db2/shop', 'Everything in schema public'],
      ['--dry-run', 'Only say what would be done (the DSNs are in MAIN_DSN and STANDIN_DSN)'],
      [
        '--clean-extra --max-delete 5% --yes --quiet',
        'From cron: also remove what main does not have, within a limit'
      ]
    ],
    load: () => import('./commands/sync.js')
  },
  {
    name: 'diff',
    describe: 'Say what a sync would do; exit 3 if there is anything',
    examples: [
      [
        "-t 'order*' --where 'orders: created_at > now() - interval ''1 day'''",
        'Some tables, and of one only the latest rows'
      ],
      ['--format json --report changes.sql', 'For a program, and as a script for psql']
    ],
    load: () => import('./commands/diff.js')
  },
  {
    name: 'apply-plan',
    describe: 'Do exactly what a plan of diff --plan says, or its undo',
    operand: 'FILE',
    examples: [
      ['plan.json --undo undo.json', 'The rows that were reviewed, and the way back'],
      ['undo.json', 'The way back'],
      ['plan.json --dry-run', 'Only look whether every row is still as it was']
    ],
    load: () => import('./commands/applyplan.js')
  },
  {
    name: 'copy',
    describe: 'Copy one big table in batches of its id; --sections: into one section a key',
    examples: [
      ['--table profiles --batch-size 50000', 'All rows of profiles, in the order of its id'],
      ['--table shop.orders --id-column number --resume', 'Only those that came since'],
      [
        "--sections --source-table device.messages --procedure check_section --section-tables 'message\\_%'",
        'Into a table for each object'
      ]
    ],
    load: () => import('./commands/copy.js')
  },
  {
    name: 'follow',
    describe: 'Bring changes of main to PostgreSQL or ClickHouse as they come',
    examples: [
      ['--source wal --to postgres://replica/shop -t orders', 'From the WAL; capture install made its slot'],
      [
        '--source poll --to clickhouse://stats:8123/shop -t events --interval 10s',
        'New ids every ten seconds'
      ],
      ['--source outbox --to clickhouse://stats:8123/shop -t "shop.*" --once', 'What has come, from cron']
    ],
    load: () => import('./commands/follow.js')
  },
  {
    name: 'publish',
    describe: 'Bring changes of main to a broker: RabbitMQ or Kafka',
    examples: [
      ['--source outbox --via amqp://user@mq/shop -t orders', 'From the outbox; capture install made it'],
      [
        '--source wal --via kafka://k1:9092,k2:9092 -t orders --partitions 8',
        'For up to eight appliers a group'
      ]
    ],
    load: () => import('./commands/publish.js')
  },
  {
    name: 'apply',
    describe: 'Bring changes from a broker to PostgreSQL or ClickHouse',
    examples: [
      ['--via amqp://user@mq/shop --group paris --to postgres://paris/shop', 'One replica of several'],
      [
        '--via kafka://k1:9092 --to clickhouse://stats:8123/shop --maindsn postgres://main/shop --from earliest',
        'All of it, again'
      ]
    ],
    load: () => import('./commands/apply.js')
  },
  {
    name: 'dead-letters',
    describe: 'List what could not be applied, or give it to the group again',
    actions: {
      list: 'Show what was put aside, and why',
      replay: 'Give it to the group again'
    },
    examples: [],
    load: () => import('./commands/deadletters.js')
  },
  {
    name: 'clickhouse-ddl',
    describe: 'Print the SQL by which ClickHouse reads Kafka’s topic itself',
    examples: [
      [
        '--via kafka://k1:9092 -t orders --to clickhouse://stats:8123/shop | clickhouse-client',
        'For the server that is asked before; without --to, for a current one'
      ]
    ],
    load: () => import('./commands/clickhouseddl.js')
  },
  {
    name: 'capture',
    describe: 'Make, remove or show what follow needs on main: triggers, outbox, publication, slot',
    actions: {
      install: 'Make what is missing; twice is as good as once',
      remove: 'Take all of it away',
      status: 'Show what is there'
    },
    examples: [
      ['install --source wal -t orders -t customers', 'A publication and a slot'],
      ['install --source outbox -t "shop.*" --dry-run', 'Show the SQL alone']
    ],
    load: () => import('./commands/capture.js')
  },
  {
    name: 'status',
    describe: 'Show how far the streams into a sink are, and, with --maindsn, how far behind',
    examples: [['--to postgres://replica/shop', 'Every stream that ends there']],
    load: () => import('./commands/status.js')
  },
  {
    name: 'check',
    describe: 'Look whether a sync can work: servers, rights, keys, programs',
    examples: [['--fdw-mode', 'With the flags of the sync that is meant']],
    load: () => import('./commands/check.js')
  },
  {
    name: 'demo',
    describe: 'Show all of it on two throw-away servers',
    examples: [['--keep', 'And leave the servers up, to try things']],
    load: () => import('./commands/demo.js')
  },
  {
    name: 'completion',
    describe: 'Print what lets a shell complete commands, flags and files',
    actions: {
      bash: 'For ~/.bashrc: source <(pgsyncer completion bash)',
      zsh: 'For a folder of $fpath, as _pgsyncer',
      fish: 'For ~/.config/fish/completions, as pgsyncer.fish'
    },
    examples: [],
    load: () => import('./commands/completion.js')
  }
]
