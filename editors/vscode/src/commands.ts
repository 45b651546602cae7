// What each command does in this editor, wherever it is started from.

import * as path from 'node:path';
import * as vscode from 'vscode';
import { words, type Server } from './client';
import type {
  CommandArgs,
  DatabaseList,
  NewMigrationResult,
  Project,
  RuleList,
  RulePage,
  SchemaText,
  ServerCommand,
  SqlResult,
  TemplateList,
  ToolCommands,
  VerifyResult,
} from './contract';
import type { Documents } from './documents';
import { fillIn, openAt, resolvePath, type Runs } from './runs';
import type { Status } from './status';
import { isNode, nodeArgs, type Node } from './tree';
import { migrationName, rulePage, sqlDocument, verifyDocument } from './text';

/** Commands that reach for a database; they are refused in a workspace that is not trusted. */
const needsTrust: ReadonlySet<ServerCommand> = new Set(['ddlsp.migrate', 'ddlsp.rollback', 'ddlsp.redo', 'ddlsp.status', 'ddlsp.verify', 'ddlsp.selectDatabase']);

/** The argument of a command: the server's own, a row of the view, or a file of the explorer. */
function asArgs(given: unknown, spell: (uri: vscode.Uri) => string): CommandArgs {
  if (isNode(given)) {
    return nodeArgs(given);
  }
  if (given instanceof vscode.Uri) {
    return { uri: spell(given) };
  }
  return typeof given === 'object' && given !== null ? given : {};
}

export class Commands {
  constructor(
    private readonly server: () => Server,
    private readonly runs: () => Runs,
    private readonly status: () => Status,
    private readonly documents: Documents,
  ) {}

  /** Runs a command of the server's, and says what went wrong. */
  async handle(command: ServerCommand, given: unknown): Promise<unknown> {
    const args = asArgs(given, uri => this.server().uri(uri));
    if (needsTrust.has(command) && !vscode.workspace.isTrusted) {
      const manage = 'Manage Workspace Trust';
      const choice = await vscode.window.showErrorMessage('This workspace is not trusted, so no database is opened from it.', manage);
      if (choice === manage) {
        await vscode.commands.executeCommand('workbench.trust.manage');
      }
      return null;
    }
    try {
      return await this.dispatch(command, await this.withProject(args));
    } catch (error) {
      this.server().log.error(`${command}: ${words(error)}`);
      void vscode.window.showErrorMessage(words(error));
      return null;
    }
  }

  private async dispatch(command: ServerCommand, args: CommandArgs): Promise<unknown> {
    switch (command) {
      case 'ddlsp.migrate':
      case 'ddlsp.rollback':
      case 'ddlsp.redo':
        return (await this.runs().run(command, args)) ?? null;
      case 'ddlsp.status':
        return this.status().list(args);
      case 'ddlsp.verify':
        return this.verify(args);
      case 'ddlsp.showSql':
        return this.showSql(args);
      case 'ddlsp.newMigration':
        return this.newMigration(args);
      case 'ddlsp.explain':
        return this.explain(args);
      case 'ddlsp.selectDatabase':
        return this.selectDatabase(args);
      case 'ddlsp.toolCommand':
        return this.toolCommand(args);
      case 'ddlsp.schema':
        return this.schema(args);
      case 'ddlsp.migrations':
        return this.server().execute(command, {});
    }
  }

  /** Migrates up to, or rolls back down to, a version that the user picks. */
  async to(command: 'ddlsp.migrate' | 'ddlsp.rollback'): Promise<unknown> {
    if (!vscode.workspace.isTrusted) {
      return this.handle(command, {});
    }
    try {
      const args = await this.withProject({});
      const version = await this.status().pickVersion(args, command === 'ddlsp.rollback');
      return version === undefined ? null : await this.handle(command, { ...args, to: version });
    } catch (error) {
      void vscode.window.showErrorMessage(words(error));
      return null;
    }
  }

  /** What a row of the view offers, which is about that row's migration. */
  async onNode(act: 'up' | 'down' | 'upSql' | 'downSql' | 'verify', node: Node | undefined): Promise<unknown> {
    if (!isNode(node) || node.kind !== 'migration') {
      return null;
    }
    const args = nodeArgs(node);
    switch (act) {
      case 'up':
        return this.handle('ddlsp.migrate', { ...args, to: node.version });
      case 'down':
        return this.handle('ddlsp.rollback', { ...args, to: node.version });
      case 'upSql':
      case 'downSql':
        return this.handle('ddlsp.showSql', { ...args, direction: act === 'upSql' ? 'up' : 'down' });
      case 'verify':
        return this.handle('ddlsp.verify', { ...args, version: node.version });
    }
  }

  /** Reads the databases of all projects that the server can run. */
  async readAll(projects: readonly Project[]): Promise<void> {
    for (const project of projects.filter(p => p.state)) {
      try {
        await this.status().read({ uri: project.uri });
      } catch (error) {
        this.server().log.error(`ddlsp.status: ${words(error)}`);
        void vscode.window.showErrorMessage(projects.length === 1 ? words(error) : `${project.name}: ${words(error)}`);
      }
    }
  }

  /** Adds the file that says which project is meant: the one in front, if any. */
  private async withProject(args: CommandArgs): Promise<CommandArgs> {
    if (args.uri !== undefined) {
      return args;
    }
    const document = vscode.window.activeTextEditor?.document;
    if (document?.uri.scheme === 'file' && /\.(sql|exs)$/.test(document.uri.path)) {
      return { ...args, uri: this.server().uri(document.uri) };
    }
    const folders = vscode.workspace.workspaceFolders ?? [];
    const about = document === undefined ? undefined : vscode.workspace.getWorkspaceFolder(document.uri);
    const folder = about ?? (folders.length > 1 ? await vscode.window.showWorkspaceFolderPick({ placeHolder: 'The project whose migrations are meant' }) : folders[0]);
    return folder === undefined ? args : { ...args, uri: this.server().uri(folder.uri) };
  }

  private async verify(args: CommandArgs): Promise<VerifyResult> {
    const result = await this.server().executeWithProgress<VerifyResult>('Verifying migrations', 'ddlsp.verify', args);
    await this.documents.showMarkdown('Verification.md', verifyDocument(result));
    return result;
  }

  private async showSql(args: CommandArgs): Promise<SqlResult | null> {
    let direction = args.direction;
    if (direction === undefined) {
      const up = { label: 'Up', description: 'what migrating sends', direction: 'up' as const };
      const down = { label: 'Down', description: 'what rolling back sends', direction: 'down' as const };
      const picked = await vscode.window.showQuickPick([up, down], { title: 'SQL of this migration' });
      if (picked === undefined) {
        return null;
      }
      direction = picked.direction;
    }
    const { uri } = args;
    const read = () => this.server().execute<SqlResult>('ddlsp.showSql', { ...args, direction });
    const result = await read();
    const follow = uri === undefined ? undefined : { source: uri, read: async () => sqlDocument(await read()) };
    await this.documents.show(`${path.basename(result.path)} ${direction}.sql`, sqlDocument(result), follow);
    return result;
  }

  /** Shows the schema that the migrations leave; it follows the edits of the file in front. */
  private async schema(args: CommandArgs): Promise<SchemaText> {
    const { uri } = args;
    const read = () => this.server().execute<SchemaText>('ddlsp.schema', { ...args, format: 'sql' });
    const result = await read();
    const follow = uri === undefined ? undefined : { source: uri, read: async () => (await read()).text };
    await this.documents.show('schema.sql', result.text, follow);
    return result;
  }

  /** Copies the command with which the team's own tool would run the migration. */
  private async toolCommand(args: CommandArgs): Promise<string | null> {
    const { directory, commands } = await this.server().execute<ToolCommands>('ddlsp.toolCommand', args);
    const only = commands.filter(c => args.direction === undefined || c.direction === args.direction);
    const picked =
      only.length === 1
        ? { detail: only[0]?.command ?? '' }
        : await vscode.window.showQuickPick(
            commands.map(c => ({ label: c.title, detail: c.command })),
            { title: `Copy a command, to be typed in ${directory}` },
          );
    if (picked === undefined) {
      return null;
    }
    await vscode.env.clipboard.writeText(picked.detail);
    vscode.window.setStatusBarMessage(`$(copy) ${picked.detail}`, 5000);
    return picked.detail;
  }

  private async newMigration(args: CommandArgs): Promise<NewMigrationResult | null> {
    let { template, name } = args;
    if (template === undefined) {
      const { templates } = await this.server().execute<TemplateList>('ddlsp.newMigration', args);
      const picked = await vscode.window.showQuickPick(
        templates.map(t => ({ label: t.title, description: t.name, ...(t.detail === undefined ? {} : { detail: t.detail }), template: t.name })),
        { title: 'New migration', placeHolder: 'A template', matchOnDescription: true, matchOnDetail: true },
      );
      if (picked === undefined) {
        return null;
      }
      template = picked.template;
    }
    if (name === undefined) {
      const typed = await vscode.window.showInputBox({
        title: 'New migration',
        prompt: 'Its name, for example create_devices',
        value: template,
        validateInput: value => (migrationName(value) === '' ? 'A name has letters or digits' : undefined),
      });
      if (typed === undefined) {
        return null;
      }
      name = migrationName(typed);
    }
    const result = await this.server().execute<NewMigrationResult>('ddlsp.newMigration', { ...args, template, name, snippets: true });
    const first = result.uris?.[0];
    const file = first === undefined ? resolvePath(result.paths[0]) : vscode.Uri.parse(first).fsPath;
    if (file !== undefined) {
      await openAt(file);
      await fillIn(file, result.snippets?.[0]);
    }
    for (const note of result.notes ?? []) {
      void vscode.window.showInformationMessage(note);
    }
    return result;
  }

  private async explain(args: CommandArgs): Promise<RulePage | null> {
    let { rule } = args;
    if (rule === undefined) {
      const { rules } = await this.server().execute<RuleList>('ddlsp.explain', {});
      const picked = await vscode.window.showQuickPick(
        rules.map(r => ({ label: r.rule, description: r.severity ?? '', detail: r.summary })),
        { title: 'Explain a rule', matchOnDetail: true },
      );
      if (picked === undefined) {
        return null;
      }
      rule = picked.label;
    }
    const page = await this.server().execute<RulePage>('ddlsp.explain', { rule });
    await this.documents.showMarkdown(`${rule}.md`, rulePage(page));
    return page;
  }

  private async selectDatabase(args: CommandArgs): Promise<DatabaseList | null> {
    let { database } = args;
    if (database === undefined) {
      const list = await this.server().execute<DatabaseList>('ddlsp.selectDatabase', args);
      const databases = list.databases ?? [];
      if (databases.length === 0) {
        void vscode.window.showInformationMessage('ddlsp.toml names no databases ([databases.NAME]); the one that the project itself uses is taken.');
        return list;
      }
      const picked = await vscode.window.showQuickPick(
        databases.map(d => ({
          label: d.name,
          description: [d.database, d.host].filter(s => s !== undefined && s !== '').join(' on ') + (d.protected === true ? ' $(lock) protected' : ''),
          picked: d.name === list.selected,
        })),
        { title: 'The database that migrations run in' },
      );
      if (picked === undefined) {
        return null;
      }
      database = picked.label;
    }
    const result = await this.server().execute<DatabaseList>('ddlsp.selectDatabase', { ...args, database });
    await this.status().refresh(args);
    return result;
  }

  /** Shows the commands that make sense now. */
  async menu(): Promise<void> {
    const items = [
      { label: '$(run) Migrate', command: 'ddlsp.migrate', trust: true },
      { label: '$(discard) Roll Back', command: 'ddlsp.rollback', trust: true },
      { label: '$(list-unordered) Show Status of Migrations', command: 'ddlsp.status', trust: true },
      { label: '$(database) Select Database...', command: 'ddlsp.selectDatabase', trust: true },
      { label: '$(new-file) New Migration from Template...', command: 'ddlsp.newMigration', trust: false },
      { label: '$(open-preview) Show SQL of this Migration', command: 'ddlsp.showSql', trust: false },
      { label: '$(copy) Copy Command of the Project\'s Tool...', command: 'ddlsp.toolCommand', trust: false },
      { label: '$(beaker) Verify Migrations on a Scratch Database', command: 'ddlsp.verify', trust: true },
      { label: '$(list-tree) Show the Migrations View', command: 'ddlsp.migrations.focus', trust: false },
      { label: '$(book) Explain a Rule...', command: 'ddlsp.explain', trust: false },
      { label: '$(refresh) Restart Server', command: 'ddlsp.restart', trust: false },
      { label: '$(output) Show Logs', command: 'ddlsp.showLogs', trust: false },
    ].filter(i => !i.trust || vscode.workspace.isTrusted);
    const picked = await vscode.window.showQuickPick(items, { title: 'ddlsp' });
    if (picked !== undefined) {
      await vscode.commands.executeCommand(picked.command);
    }
  }
}
