// The view of the migrations: what there is, and what is applied once a
// command has read it.

import * as vscode from 'vscode';
import type { CommandArgs, ListedMigration, MigrationState, Project, StatusMigration } from './contract';
import type { Projects } from './projects';
import { pending, stateLabel, target } from './text';

export interface ProjectNode {
  kind: 'project';
  project: Project;
}

export interface MigrationNode {
  kind: 'migration';
  project: Project;
  version: string;
  name: string;
  /** Undefined when only the database knows of the migration. */
  file: ListedMigration | undefined;
  /** Undefined until the database was read. */
  state: StatusMigration | undefined;
}

export type Node = ProjectNode | MigrationNode;

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value && 'project' in value;
}

/** The argument of a command that is run on a row of the view. */
export function nodeArgs(node: Node): CommandArgs {
  if (node.kind === 'project') {
    return { uri: node.project.uri };
  }
  return { uri: node.file === undefined || node.file.uri === '' ? node.project.uri : node.file.uri };
}

const icons: Record<MigrationState, vscode.ThemeIcon> = {
  applied: new vscode.ThemeIcon('pass-filled', new vscode.ThemeColor('testing.iconPassed')),
  pending: new vscode.ThemeIcon('circle-outline', new vscode.ThemeColor('charts.blue')),
  out_of_order: new vscode.ThemeIcon('warning', new vscode.ThemeColor('list.warningForeground')),
  missing: new vscode.ThemeIcon('question', new vscode.ThemeColor('list.warningForeground')),
  dirty: new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground')),
};

export class MigrationsView implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly view: vscode.TreeView<Node>;
  private readonly subscriptions: vscode.Disposable[];
  readonly onDidChangeTreeData = this.changed.event;

  constructor(private readonly projects: Projects) {
    this.view = vscode.window.createTreeView<Node>('ddlsp.migrations', { treeDataProvider: this, showCollapseAll: true });
    this.subscriptions = [
      projects.onDidChange(() => {
        this.redraw();
      }),
    ];
  }

  private redraw(): void {
    this.changed.fire();
    const known = this.projects.all.map(p => this.projects.status(p)).filter(s => s !== undefined);
    const waiting = known.reduce((sum, s) => sum + pending(s), 0);
    this.view.badge = waiting === 0 ? undefined : { value: waiting, tooltip: `${waiting} pending` };
    const [only] = this.projects.all;
    this.view.description = this.projects.all.length === 1 && only !== undefined ? this.summary(only) : '';
  }

  private summary(project: Project): string {
    const status = this.projects.status(project);
    if (project.foreign !== undefined && project.foreign !== '') {
      return 'left alone';
    }
    if (status === undefined) {
      return project.format;
    }
    const n = pending(status);
    return `${status.database}: ${n === 0 ? 'up to date' : `${n} pending`}`;
  }

  getChildren(node?: Node): Node[] {
    if (node === undefined) {
      const projects = this.projects.all.map<ProjectNode>(project => ({ kind: 'project', project }));
      const [only] = projects;
      return projects.length === 1 && only !== undefined ? this.migrations(only.project) : projects;
    }
    return node.kind === 'project' ? this.migrations(node.project) : [];
  }

  /** The newest first: what is pending is what one looks for. */
  private migrations(project: Project): MigrationNode[] {
    const states = new Map((this.projects.status(project)?.migrations ?? []).map(m => [m.version, m]));
    const rows: MigrationNode[] = (project.migrations ?? []).map(file => {
      const state = states.get(file.version);
      states.delete(file.version);
      return { kind: 'migration', project, version: file.version, name: file.name, file, state };
    });
    // What is left is applied, and has no file. It goes where its version belongs.
    for (const state of states.values()) {
      const row: MigrationNode = { kind: 'migration', project, version: state.version, name: state.name, file: undefined, state };
      const at = rows.findIndex(r => r.version.localeCompare(state.version, 'en', { numeric: true }) > 0);
      rows.splice(at === -1 ? rows.length : at, 0, row);
    }
    return rows.reverse();
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return node.kind === 'project' ? this.projectItem(node.project) : this.migrationItem(node);
  }

  private projectItem(project: Project): vscode.TreeItem {
    const foreign = project.foreign !== undefined && project.foreign !== '';
    const item = new vscode.TreeItem(project.name, foreign ? vscode.TreeItemCollapsibleState.None : vscode.TreeItemCollapsibleState.Expanded);
    item.id = project.uri;
    item.description = this.summary(project);
    const status = this.projects.status(project);
    item.iconPath = new vscode.ThemeIcon(foreign ? 'circle-slash' : status?.protected === true ? 'lock' : 'database');
    item.contextValue = `project${project.state ? ';state' : ''}${project.runs ? ';runs' : ''}${foreign ? ';foreign' : ''}`;
    const lines = [project.root, `format: ${project.format}`];
    if (foreign) {
      lines.push(`left alone: ${project.foreign}`);
    }
    if (status !== undefined) {
      lines.push(`database: ${target(status)}${status.protected === true ? ' (protected)' : ''}`, `versions are kept in ${status.version_table}`);
    }
    item.tooltip = lines.join('\n');
    return item;
  }

  private migrationItem(node: MigrationNode): vscode.TreeItem {
    const { file, state } = node;
    const item = new vscode.TreeItem(node.name === '' ? node.version : node.name);
    item.id = `${node.project.uri}\u0000${node.version}\u0000${file?.path ?? ''}`;
    item.description = node.name === '' ? '' : node.version;
    item.iconPath = state === undefined ? new vscode.ThemeIcon('circle-large-outline', new vscode.ThemeColor('disabledForeground')) : icons[state.state];
    const lines = [`${node.version} ${node.name}`.trim()];
    if (state === undefined) {
      lines.push(node.project.state ? 'The database was not read yet.' : '');
    } else {
      lines.push(`${stateLabel(state.state)}${state.applied_at === null ? '' : ` ${new Date(state.applied_at).toLocaleString()}`}${state.edited === true ? ', edited since' : ''}`);
    }
    if (file !== undefined) {
      lines.push(file.path);
      if (file.down === 'missing') {
        lines.push('It has no down.');
      } else if (file.down === 'raises') {
        lines.push('It cannot be rolled back.');
      }
      item.command = { command: 'vscode.open', title: 'Open', arguments: [vscode.Uri.parse(file.uri)] };
      item.resourceUri = vscode.Uri.parse(file.uri);
    }
    item.tooltip = lines.filter(l => l !== '').join('\n');
    item.contextValue = ['migration', state?.state ?? 'unknown', file === undefined ? 'nofile' : 'file', node.project.runs ? 'runs' : 'shown', `${file?.down ?? 'missing'}down`].join(';');
    item.accessibilityInformation = { label: `${node.name} ${node.version}, ${state === undefined ? 'state unknown' : stateLabel(state.state)}` };
    return item;
  }

  dispose(): void {
    vscode.Disposable.from(...this.subscriptions).dispose();
    this.view.dispose();
    this.changed.dispose();
  }
}
