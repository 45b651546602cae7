// What is known of the workspace's projects: their migrations, and the state
// of their databases once a command has read it.

import * as vscode from 'vscode';
import { words, type Server } from './client';
import type { CommandArgs, Listing, Project, StatusResult } from './contract';

/** The time between a change on disk and a new reading, in milliseconds. */
const settle = 300;

export class Projects implements vscode.Disposable {
  private list: Project[] = [];
  private readonly statuses = new Map<string, StatusResult>();
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly subscriptions: vscode.Disposable[];
  private timer: NodeJS.Timeout | undefined;
  /** Fires when the projects, their migrations or a known state changed. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly server: Server) {
    const files = vscode.workspace.createFileSystemWatcher('**/*.{sql,exs}', false, true, false);
    const config = vscode.workspace.createFileSystemWatcher('**/{ddlsp,.ddlsp}.toml');
    const later = () => {
      this.refreshSoon();
    };
    this.subscriptions = [
      files,
      config,
      files.onDidCreate(later),
      files.onDidDelete(later),
      config.onDidCreate(later),
      config.onDidChange(later),
      config.onDidDelete(later),
      vscode.workspace.onDidSaveTextDocument(d => {
        if (/\.(sql|exs)$/.test(d.uri.path)) {
          later();
        }
      }),
      vscode.workspace.onDidChangeWorkspaceFolders(later),
    ];
  }

  get all(): readonly Project[] {
    return this.list;
  }

  refreshSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.refresh(), settle);
  }

  /** Reads the list anew. A server that cannot list has no projects. */
  async refresh(): Promise<void> {
    try {
      const { projects } = await this.server.execute<Listing>('ddlsp.migrations', {});
      this.list = projects ?? [];
    } catch (error) {
      this.server.log.warn(`migrations: ${words(error)}`);
      this.list = [];
    }
    void vscode.commands.executeCommand('setContext', 'ddlsp.projects', this.list.length);
    this.changed.fire();
  }

  /** The project of a file or directory: the only one, when none is named. */
  of(uri: string | undefined): Project | undefined {
    if (uri === undefined) {
      return this.list.length === 1 ? this.list[0] : undefined;
    }
    const wanted = vscode.Uri.parse(uri);
    const exact = this.list.find(p => p.uri === uri || (p.migrations ?? []).some(m => m.uri !== '' && vscode.Uri.parse(m.uri).toString() === wanted.toString()));
    if (exact !== undefined) {
      return exact;
    }
    const around = this.list.filter(p => wanted.fsPath === p.root || wanted.fsPath.startsWith(`${p.root}/`) || wanted.fsPath.startsWith(`${p.root}\\`));
    return around.sort((a, b) => b.root.length - a.root.length)[0];
  }

  status(project: Project): StatusResult | undefined {
    return this.statuses.get(project.uri);
  }

  /** Notes the state that a command has read. */
  learn(args: CommandArgs, status: StatusResult): void {
    const project = this.of(args.uri);
    if (project !== undefined) {
      this.statuses.set(project.uri, status);
      this.changed.fire();
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    vscode.Disposable.from(...this.subscriptions).dispose();
    this.changed.dispose();
  }
}
