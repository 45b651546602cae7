// The state of a database: a list to pick from, and the status bar.

import * as vscode from 'vscode';
import type { Server } from './client';
import { words } from './client';
import type { CommandArgs, StatusMigration, StatusResult } from './contract';
import type { Projects } from './projects';
import { openAt, resolvePath } from './runs';
import { migrationTitle, pending, stateIcon, stateLabel, stateOrder, statusBarText, target } from './text';

type Item = vscode.QuickPickItem & { migration?: StatusMigration; command?: string };

export class Status implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;
  /** The project of the last database command; the status bar follows it. */
  private last: CommandArgs | undefined;

  constructor(
    private readonly server: Server,
    private readonly projects: Projects,
  ) {
    this.item = vscode.window.createStatusBarItem('ddlsp', vscode.StatusBarAlignment.Left, 0);
    this.item.name = 'ddlsp';
    this.item.command = 'ddlsp.menu';
    this.item.text = '$(database) ddlsp';
    this.item.tooltip = 'ddlsp: migrations. No database has been used yet.';
    this.item.show();
  }

  async read(args: CommandArgs): Promise<StatusResult> {
    const status = await this.server.executeWithProgress<StatusResult>('Reading the status of migrations', 'ddlsp.status', args, 1500);
    this.show(status, args);
    return status;
  }

  /** Reads the state again after a run, without asking or telling. */
  async refresh(args: CommandArgs): Promise<void> {
    const { uri, database } = args;
    try {
      const about = { ...(uri === undefined ? {} : { uri }), ...(database === undefined ? {} : { database }) };
      this.show(await this.server.execute<StatusResult>('ddlsp.status', about), about);
    } catch (error) {
      this.server.log.warn(`status: ${words(error)}`);
    }
  }

  private show(status: StatusResult, args: CommandArgs): void {
    this.last = args;
    this.projects.learn(args, status);
    const n = pending(status);
    const guarded = status.protected === true;
    this.item.text = `$(${guarded ? 'lock' : 'database'}) ${statusBarText(status)}`;
    const lines = [target(status) + (guarded ? ' (protected)' : ''), n === 0 ? 'All migrations are applied.' : `${n} pending`];
    const troubles = stateOrder.filter(state => state === 'dirty' || state === 'missing' || state === 'out_of_order');
    for (const state of troubles) {
      const those = (status.migrations ?? []).filter(m => m.state === state);
      if (those.length > 0) {
        lines.push(`${stateLabel(state)}: ${those.map(m => m.version).join(', ')}`);
      }
    }
    lines.push(`Versions are kept in ${status.version_table}`);
    this.item.tooltip = new vscode.MarkdownString().appendText(lines.join('\n'));
    const has = (state: string) => (status.migrations ?? []).some(m => m.state === state);
    this.item.backgroundColor = has('dirty')
      ? new vscode.ThemeColor('statusBarItem.errorBackground')
      : guarded || has('missing')
        ? new vscode.ThemeColor('statusBarItem.warningBackground')
        : undefined;
  }

  /** Shows the migrations by state; picking one opens its file. */
  async list(args: CommandArgs): Promise<StatusResult> {
    const status = await this.read(args);
    void this.pickAndOpen(status);
    return status;
  }

  private async pickAndOpen(status: StatusResult): Promise<void> {
    const migrations = status.migrations ?? [];
    const items: Item[] = [];
    if (pending(status) > 0) {
      items.push({ label: '$(run) Migrate', description: `${pending(status)} pending`, command: 'ddlsp.migrate' });
    }
    if (migrations.some(m => m.state === 'applied')) {
      items.push({ label: '$(discard) Roll back the last migration', command: 'ddlsp.rollback' });
    }
    items.push(...migrationItems(migrations));
    if (items.length === 0) {
      void vscode.window.showInformationMessage(`There are no migrations for ${target(status)}.`);
      return;
    }
    const picked = await vscode.window.showQuickPick(items, { title: `Migrations of ${target(status)}`, placeHolder: 'Pick a migration to open it', matchOnDescription: true });
    if (picked?.command !== undefined) {
      await vscode.commands.executeCommand(picked.command, this.last ?? {});
      return;
    }
    const file = resolvePath(picked?.migration?.path);
    if (file !== undefined) {
      await openAt(file);
    }
  }

  /** Lets the user pick a version to migrate or roll back to. */
  async pickVersion(args: CommandArgs, applied: boolean): Promise<string | undefined> {
    const status = await this.read(args);
    const choices = (status.migrations ?? []).filter(m => (applied ? m.state === 'applied' : m.state === 'pending' || m.state === 'out_of_order'));
    if (choices.length === 0) {
      void vscode.window.showInformationMessage(applied ? `Nothing is applied in ${target(status)}.` : `Nothing is pending in ${target(status)}.`);
      return undefined;
    }
    if (applied) {
      choices.reverse();
    }
    const picked = await vscode.window.showQuickPick(
      choices.map(m => ({ label: migrationTitle(m), description: stateLabel(m.state), version: m.version })),
      { title: applied ? `Roll back ${target(status)} down to, and including` : `Migrate ${target(status)} up to, and including` },
    );
    return picked?.version;
  }

  dispose(): void {
    this.item.dispose();
  }
}

function migrationItems(migrations: StatusMigration[]): Item[] {
  const items: Item[] = [];
  for (const state of stateOrder) {
    const those = migrations.filter(m => m.state === state);
    if (those.length === 0) {
      continue;
    }
    items.push({ label: stateLabel(state), kind: vscode.QuickPickItemKind.Separator });
    if (state === 'applied') {
      those.reverse(); // the newest first
    }
    for (const m of those) {
      const edited = m.edited === true ? ', edited since' : '';
      items.push({
        label: `$(${stateIcon(state)}) ${migrationTitle(m)}`,
        description: m.applied_at === null ? stateLabel(state) : `applied ${new Date(m.applied_at).toLocaleString()}${edited}`,
        migration: m,
      });
    }
  }
  return items;
}
