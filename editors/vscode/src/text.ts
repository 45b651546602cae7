// The words that results are shown in. Nothing here needs the editor.

import type { Lock, MigrationState, RulePage, RunCommand, RunMigration, RunResult, SqlResult, StatusResult, VerifyResult } from './contract';

/** As many migrations as a dialog lists by name. */
const listed = 15;

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

export function target(r: { database: string; host: string }): string {
  return r.host === '' ? r.database : `${r.database} on ${r.host}`;
}

export function migrationTitle(m: { version: string; name: string }): string {
  return m.name === '' ? m.version : `${m.version} ${m.name}`;
}

/** The verb on the button that starts a run. */
export function verb(command: RunCommand): string {
  switch (command) {
    case 'ddlsp.migrate':
      return 'Migrate';
    case 'ddlsp.rollback':
      return 'Roll back';
    case 'ddlsp.redo':
      return 'Redo';
  }
}

/** What a run is going to do, for the question before it. */
export function question(command: RunCommand, plan: RunResult): { message: string; detail: string } {
  const migrations = plan.migrations ?? [];
  const what = command === 'ddlsp.redo' ? count(new Set(migrations.map(m => m.version)).size, 'migration') : count(migrations.length, 'migration');
  const lines = migrations.slice(0, listed).map(m => line(command, m));
  if (migrations.length > listed) {
    lines.push(`... and ${migrations.length - listed} more`);
  }
  if (plan.drops !== undefined && plan.drops.length > 0) {
    lines.push('', `This drops ${plan.drops.join(', ')}.`);
  }
  if (plan.notes !== undefined && plan.notes.length > 0) {
    lines.push('', ...plan.notes);
  }
  const act = command === 'ddlsp.migrate' ? `Apply ${what} to` : `${verb(command)} ${what} in`;
  return { message: `${act} ${target(plan)}?`, detail: lines.join('\n') };
}

function line(command: RunCommand, m: RunMigration): string {
  const arrow = command === 'ddlsp.redo' ? (m.direction === 'up' ? 'up: ' : 'down: ') : '';
  return `${arrow}${migrationTitle(m)} (${count(m.statements, 'statement')})`;
}

/** What a run that found nothing says. */
export function nothingToDo(command: RunCommand, plan: RunResult): string {
  return command === 'ddlsp.migrate' ? `Nothing to migrate: ${target(plan)} is up to date.` : `Nothing to roll back in ${target(plan)}.`;
}

/** What a finished run did. */
export function outcome(result: RunResult): string {
  const migrations = result.migrations ?? [];
  const applied = migrations.filter(m => m.outcome === 'applied').length;
  const rolledBack = migrations.filter(m => m.outcome === 'rolled_back').length;
  const ms = migrations.reduce((sum, m) => sum + m.duration_ms, 0);
  const parts: string[] = [];
  if (rolledBack > 0) {
    parts.push(`rolled back ${count(rolledBack, 'migration')}`);
  }
  if (applied > 0) {
    parts.push(`applied ${count(applied, 'migration')}`);
  }
  if (parts.length === 0) {
    parts.push('changed nothing');
  }
  const sentence = parts.join(' and ');
  return `${sentence[0]?.toUpperCase() ?? ''}${sentence.slice(1)} in ${target(result)} (${ms} ms).`;
}

/** What went wrong in a run, and what the database holds now. */
export function failure(result: RunResult): string {
  const error = result.error;
  if (error === null) {
    return '';
  }
  const failed = (result.migrations ?? []).find(m => m.outcome === 'failed');
  const where = failed === undefined ? '' : `${migrationTitle(failed)}: `;
  const state = error.sqlstate === undefined || error.sqlstate === '' ? '' : ` (SQLSTATE ${error.sqlstate})`;
  const remains = error.remains === undefined || error.remains === '' ? '' : ` ${error.remains}`;
  return `${where}${error.message}${state}${remains}`;
}

const states: Record<MigrationState, { label: string; icon: string }> = {
  dirty: { label: 'Dirty', icon: 'error' },
  missing: { label: 'Applied, but the file is missing', icon: 'question' },
  out_of_order: { label: 'Out of order', icon: 'warning' },
  pending: { label: 'Pending', icon: 'circle-outline' },
  applied: { label: 'Applied', icon: 'pass-filled' },
};

/** The states in the order in which a list shows them: what needs attention first. */
export const stateOrder = Object.keys(states) as MigrationState[];

export function stateLabel(state: MigrationState): string {
  return states[state].label;
}

export function stateIcon(state: MigrationState): string {
  return states[state].icon;
}

/** How many migrations a database still has to run. */
export function pending(status: StatusResult): number {
  return (status.migrations ?? []).filter(m => m.state === 'pending' || m.state === 'out_of_order').length;
}

export function statusBarText(status: StatusResult): string {
  const n = pending(status);
  return `${status.database}: ${n === 0 ? 'up to date' : `${n} pending`}`;
}

const transactions: Partial<Record<string, string>> = {
  explicit: 'in a transaction',
  implicit: 'in the implicit transaction of a statement list',
  none: 'outside a transaction',
};

/** What a plan would send, as commented SQL. */
export function planDocument(plan: RunResult): string {
  const out = [`-- ${target(plan)}`];
  for (const m of plan.migrations ?? []) {
    const transaction = transactions[m.transaction ?? ''];
    out.push('', `-- ${migrationTitle(m)}: ${m.direction}${transaction === undefined ? '' : `, ${transaction}`}`);
    for (const s of m.sql ?? []) {
      out.push('', ...statementLines(s.sql, s.locks));
    }
  }
  return `${out.join('\n')}\n`;
}

function statementLines(sql: string, locks: Lock[] | null): string[] {
  const text = sql.trimEnd();
  return [...(locks ?? []).map(lock => `-- locks ${lock.relation}: ${lock.mode}`), text.endsWith(';') ? text : `${text};`];
}

const origins: Record<SqlResult['origin'], string> = {
  written: '',
  derived: 'derived from the other direction',
  missing: 'this direction is missing',
  empty: 'this direction does nothing',
  raises: 'this direction raises an error',
};

/** The preview of what one direction of a migration sends, as commented SQL. */
export function sqlDocument(r: SqlResult): string {
  const out: string[] = [];
  const origin = origins[r.origin];
  out.push(`-- ${migrationTitle(r)}: ${r.direction}${origin === '' ? '' : ` (${origin})`}`);
  const statements = r.statements ?? [];
  if (statements.length > 0) {
    out.push(`-- ${count(statements.length, 'statement')}, ${transactions[r.transaction] ?? r.transaction}`);
  }
  for (const s of statements) {
    out.push('');
    if (s.opaque !== null && s.opaque !== '') {
      out.push(`-- cannot be read: ${oneLine(s.opaque)}`);
    }
    out.push(...statementLines(s.sql, s.locks));
  }
  if (r.error !== null) {
    out.push('', `-- fails here: ${oneLine(r.error.message)}`);
  }
  return `${out.join('\n')}\n`;
}

/** The report of a verification, as Markdown. */
export function verifyDocument(r: VerifyResult): string {
  const migrations = r.migrations ?? [];
  if (migrations.length === 0) {
    return '# Verification\n\nThere was nothing to verify.\n';
  }
  const out = ['# Verification', ''];
  for (const m of migrations) {
    const what = { ok: 'up, down and up again leave the same schema', failed: 'failed', not_reversible: 'cannot be rolled back', skipped: 'skipped' }[m.outcome];
    out.push(`## ${migrationTitle(m)}`, '', `${what} (up ${m.up_ms} ms, down ${m.down_ms} ms)`, '');
    for (const d of m.differences ?? []) {
      out.push(`- ${d.object}: ${d.kind}${d.before === undefined ? '' : ` from \`${d.before}\``}${d.after === undefined ? '' : ` to \`${d.after}\``}`);
    }
    if (m.error !== null) {
      out.push(m.error.message, '');
    }
  }
  return `${out.join('\n')}\n`;
}

/** A rule's page, with its title and where it is on the web. */
export function rulePage(page: RulePage): string {
  const title = page.text.startsWith('#') ? '' : `# ${page.rule}\n\n`;
  return `${title}${page.text.trimEnd()}\n${page.url === '' ? '' : `\n[${page.url}](${page.url})\n`}`;
}

function oneLine(s: string): string {
  return s.replace(/\s*\n\s*/g, ' ').trim();
}

/** A name that a migration's file may carry: lower case words joined by underscores. */
export function migrationName(typed: string): string {
  return typed
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '_')
    .replace(/^_+|_+$/g, '');
}

/** Why a program could not be started, from the error that starting it gave. */
export function startFailure(path: string, code: string, output: string): string {
  switch (code) {
    case 'ENOENT':
      return `there is no program ${path}`;
    case 'EACCES':
      return `${path} may not be executed (see its permissions)`;
    case 'ENOEXEC':
    case 'UNKNOWN':
      return `${path} is made for another system (this one is ${process.platform}-${process.arch})`;
    case 'ETIMEDOUT':
      return `${path} did not answer`;
    default: {
      const said = oneLine(output);
      return `${path} does not run${said === '' ? '' : `: ${said.slice(0, 300)}`}`;
    }
  }
}
