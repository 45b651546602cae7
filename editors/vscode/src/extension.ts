import * as vscode from 'vscode';
import { Server } from './client';
import { Commands } from './commands';
import { Documents } from './documents';
import { Passwords } from './passwords';
import { Runs } from './runs';
import { Status } from './status';

let running: Server | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('ddlsp', { log: true });
  const documents = new Documents();
  const passwords = new Passwords(context);
  const commands: Commands = new Commands(() => server, () => runs, () => status, documents);
  const server = new Server(context, log, passwords, (command, args) => commands.handle(command, args));
  const status = new Status(server);
  const runs = new Runs(server, documents, args => void status.refresh(args));
  running = server;

  context.subscriptions.push(
    log,
    documents,
    server,
    status,
    vscode.commands.registerCommand('ddlsp.migrateTo', () => commands.to('ddlsp.migrate')),
    vscode.commands.registerCommand('ddlsp.rollbackTo', () => commands.to('ddlsp.rollback')),
    vscode.commands.registerCommand('ddlsp.menu', () => commands.menu()),
    vscode.commands.registerCommand('ddlsp.restart', () => server.restart()),
    vscode.commands.registerCommand('ddlsp.forgetPasswords', () => passwords.forgetAll()),
    vscode.commands.registerCommand('ddlsp.showLogs', () => {
      log.show();
    }),
    vscode.commands.registerCommand('ddlsp.serverVersion', () => {
      const { version } = server;
      void vscode.window.showInformationMessage(version === undefined ? 'The ddlsp server is not running.' : `${version} (${server.source})`);
      return version;
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      server.trusted();
    }),
    vscode.workspace.onDidChangeConfiguration(e => {
      if (e.affectsConfiguration('ddlsp.server.path')) {
        void server.restart();
      } else if (e.affectsConfiguration('ddlsp')) {
        server.settingsChanged();
      }
    }),
  );

  // Not awaited: the commands work meanwhile, and wait for the server.
  void server.start();
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}
