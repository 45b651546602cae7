import * as vscode from 'vscode';
import { Server } from './client';
import { Commands } from './commands';
import { debugInformation } from './debuginfo';
import { Documents } from './documents';
import { Passwords } from './passwords';
import { Projects } from './projects';
import { Runs } from './runs';
import { Status } from './status';
import { Tasks } from './tasks';
import { MigrationsView, type Node } from './tree';

let running: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('ddlsp', { log: true });
  const serverLog = vscode.window.createOutputChannel('ddlsp Server', { log: true });
  const documents = new Documents();
  const passwords = new Passwords(context);
  const commands: Commands = new Commands(() => server, () => runs, () => status, documents);
  const server = new Server(context, log, serverLog, passwords, (command, given) => commands.handle(command, given));
  const projects = new Projects(server);
  const status = new Status(server, projects);
  const runs = new Runs(server, documents, args => void status.refresh(args));
  running = server;

  const onNode = (id: string, act: Parameters<Commands['onNode']>[0]) => vscode.commands.registerCommand(id, (node?: Node) => commands.onNode(act, node));
  context.subscriptions.push(
    log,
    serverLog,
    documents,
    server,
    projects,
    status,
    new MigrationsView(projects),
    vscode.tasks.registerTaskProvider('ddlsp', new Tasks(context)),
    onNode('ddlsp.view.migrateHere', 'up'),
    onNode('ddlsp.view.rollbackHere', 'down'),
    onNode('ddlsp.view.showSql', 'upSql'),
    onNode('ddlsp.view.showRollbackSql', 'downSql'),
    onNode('ddlsp.view.verify', 'verify'),
    vscode.commands.registerCommand('ddlsp.view.refresh', async () => {
      await projects.refresh();
      if (vscode.workspace.isTrusted) {
        await commands.readAll(projects.all);
      }
    }),
    vscode.commands.registerCommand('ddlsp.migrateTo', () => commands.to('ddlsp.migrate')),
    vscode.commands.registerCommand('ddlsp.rollbackTo', () => commands.to('ddlsp.rollback')),
    vscode.commands.registerCommand('ddlsp.menu', () => commands.menu()),
    vscode.commands.registerCommand('ddlsp.restart', () => server.restart()),
    vscode.commands.registerCommand('ddlsp.forgetPasswords', () => passwords.forgetAll()),
    vscode.commands.registerCommand('ddlsp.showLogs', () => {
      log.show();
    }),
    vscode.commands.registerCommand('ddlsp.showServerLogs', () => {
      serverLog.show();
    }),
    vscode.commands.registerCommand('ddlsp.serverVersion', () => {
      const { version } = server;
      void vscode.window.showInformationMessage(version === undefined ? 'The ddlsp server is not running.' : `${version} (${server.source})`);
      return version;
    }),
    vscode.commands.registerCommand('ddlsp.copyDebugInformation', async () => {
      const text = debugInformation(context, server, projects);
      await vscode.env.clipboard.writeText(text);
      void vscode.window.showInformationMessage('The debug information is in the clipboard. It names files and settings, and no passwords.');
      return text;
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      server.trusted();
      projects.refreshSoon();
    }),
    vscode.workspace.onDidChangeConfiguration(e => {
      if (e.affectsConfiguration('ddlsp.server.path')) {
        void server.restart();
      } else if (e.affectsConfiguration('ddlsp')) {
        server.settingsChanged();
      }
    }),
    server.onReady(() => void projects.refresh()),
  );

  // Not awaited: the commands work meanwhile, and wait for the server.
  void server.start();
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}
