// The server's commands, and what they answer: the JSON of the command line.

/** The commands that the server executes; they have the same ids here. */
export const serverCommands = [
  'ddlsp.migrate',
  'ddlsp.rollback',
  'ddlsp.redo',
  'ddlsp.status',
  'ddlsp.verify',
  'ddlsp.showSql',
  'ddlsp.newMigration',
  'ddlsp.explain',
  'ddlsp.selectDatabase',
  'ddlsp.migrations',
  'ddlsp.toolCommand',
  'ddlsp.schema',
] as const;

export type ServerCommand = (typeof serverCommands)[number];

export type RunCommand = 'ddlsp.migrate' | 'ddlsp.rollback' | 'ddlsp.redo';

/** The one argument of a command. `uri` only selects the project and its repo. */
export interface CommandArgs {
  uri?: string;
  to?: string;
  toExclusive?: string;
  step?: number;
  all?: boolean;
  database?: string;
  prefix?: string;
  dryRun?: boolean;
  plan?: string;
  confirm?: string;
  direction?: 'up' | 'down';
  version?: string;
  template?: string;
  name?: string;
  table?: string;
  dir?: string;
  snippets?: boolean;
  rule?: string;
  at?: string;
  format?: 'sql' | 'mermaid';
}

/** A place in a file: lines and columns count from one, columns in UTF-8 bytes. */
export interface Place {
  offset: number;
  line: number;
  column: number;
}

export interface Range {
  start: Place;
  end: Place;
}

export type Outcome = 'planned' | 'applied' | 'rolled_back' | 'failed' | 'skipped';

export interface RunMigration {
  version: string;
  name: string;
  path?: string;
  direction: 'up' | 'down';
  statements: number;
  duration_ms: number;
  outcome: Outcome;
  /** In a dry run: what would be sent. */
  transaction?: string;
  sql?: { sql: string; unit: number; locks: Lock[] | null }[];
}

export interface RunError {
  message: string;
  sqlstate?: string;
  path?: string | null;
  range?: Range | null;
  statement?: string;
  /** What the database holds now. */
  remains?: string;
  cancelled?: boolean;
}

export interface RunResult {
  database: string;
  host: string;
  direction: 'up' | 'down' | 'redo';
  dry_run: boolean;
  /** A hash over the target, the versions and the files' contents. */
  plan: string;
  /** The database asks for its name to be typed. */
  protected?: boolean;
  /** What a plan destroys. */
  drops?: string[];
  /** What else has to be known before saying yes. */
  notes?: string[];
  migrations: RunMigration[] | null;
  error: RunError | null;
}

export type MigrationState = 'applied' | 'pending' | 'missing' | 'out_of_order' | 'dirty';

export interface StatusMigration {
  version: string;
  name: string;
  path?: string;
  state: MigrationState;
  applied_at: string | null;
  edited?: boolean | null;
}

export interface StatusResult {
  database: string;
  host: string;
  format: string;
  version_table: string;
  /** The name in ddlsp.toml, if it has one. */
  name?: string;
  protected?: boolean;
  migrations: StatusMigration[] | null;
}

export interface Lock {
  relation: string;
  mode: string;
}

export interface SqlStatement {
  sql: string;
  range?: Range;
  unit: number;
  locks: Lock[] | null;
  opaque: string | null;
}

export interface SqlResult {
  version: string;
  name: string;
  path: string;
  format: string;
  direction: 'up' | 'down';
  origin: 'written' | 'derived' | 'missing' | 'empty' | 'raises';
  transaction: 'explicit' | 'implicit' | 'none';
  statements: SqlStatement[] | null;
  error: { message: string; range?: Range } | null;
}

export interface VerifyMigration {
  version: string;
  name: string;
  path?: string;
  outcome: 'ok' | 'failed' | 'not_reversible' | 'skipped';
  up_ms: number;
  down_ms: number;
  differences: { object: string; kind: 'added' | 'removed' | 'changed'; before?: string; after?: string }[] | null;
  error: RunError | null;
}

export interface VerifyResult {
  migrations: VerifyMigration[] | null;
}

/** What `ddlsp.newMigration` answers when it is given no template. */
export interface TemplateList {
  templates: { name: string; title: string; detail?: string }[];
}

/** What `ddlsp.newMigration` answers when it has written files. */
export interface NewMigrationResult {
  paths: string[];
  uris?: string[];
  notes?: string[];
  /** The texts of the files with tab stops, when they were asked for. */
  snippets?: string[];
}

/** What `ddlsp.explain` answers when it is given no rule. */
export interface RuleList {
  rules: { rule: string; summary: string; severity?: string }[];
}

/** A rule's page, in Markdown. */
export interface RulePage {
  rule: string;
  summary: string;
  text: string;
  url: string;
}

/** What `ddlsp.selectDatabase` answers: without a name, the databases there are. */
export interface DatabaseList {
  databases: { name: string; database?: string; host?: string; protected?: boolean }[] | null;
  selected: string | null;
}

/** How a direction of a migration came to be. */
export type Origin = 'written' | 'derived' | 'missing' | 'empty' | 'raises';

export interface ListedMigration {
  version: string;
  name: string;
  /** Relative to the workspace folder. */
  path: string;
  uri: string;
  up: Origin;
  down: Origin;
}

export interface Project {
  /** Tells the projects of the workspace apart. */
  name: string;
  root: string;
  /** Names the project in other commands. */
  uri: string;
  format: string;
  dirs: string[] | null;
  /** Why the project is left alone. */
  foreign?: string;
  /** Can the server tell what is applied? */
  state: boolean;
  /** Can it run the migrations? Neither is so without trust. */
  runs: boolean;
  migrations: ListedMigration[] | null;
}

/** What `ddlsp.migrations` answers, without asking a database. */
export interface Listing {
  projects: Project[] | null;
}

/** What `ddlsp.toolCommand` answers: how the team's own tool does it. */
export interface ToolCommands {
  directory: string;
  commands: { title: string; direction: 'up' | 'down'; command: string }[];
}

/** What `ddlsp.schema` answers: the schema that the migrations leave. */
export interface SchemaText {
  format: string;
  text: string;
}
