// The task that lints the whole workspace folder, for the Problems view and
// for those who bind a key to it.

import * as vscode from 'vscode';
import { findProgram } from './server';

interface LintTask extends vscode.TaskDefinition {
  type: 'ddlsp';
  command: 'lint';
  paths?: string[];
  args?: string[];
}

export class Tasks implements vscode.TaskProvider {
  constructor(private readonly context: vscode.ExtensionContext) {}

  async provideTasks(): Promise<vscode.Task[]> {
    const folders = vscode.workspace.workspaceFolders ?? [];
    const tasks = await Promise.all(folders.map(folder => this.make({ type: 'ddlsp', command: 'lint' }, folder)));
    return tasks.filter(t => t !== undefined);
  }

  resolveTask(task: vscode.Task): Promise<vscode.Task | undefined> {
    const scope = typeof task.scope === 'object' ? task.scope : vscode.workspace.workspaceFolders?.[0];
    return this.make(task.definition as LintTask, scope);
  }

  private async make(definition: LintTask, folder: vscode.WorkspaceFolder | undefined): Promise<vscode.Task | undefined> {
    if (folder === undefined) {
      return undefined;
    }
    let program: string;
    try {
      program = (await findProgram(this.context)).path;
    } catch {
      return undefined; // the server says why
    }
    const execution = new vscode.ProcessExecution(program, ['lint', '--no-color', ...(definition.args ?? []), ...(definition.paths ?? [])], { cwd: folder.uri.fsPath });
    const task = new vscode.Task(definition, folder, 'lint', 'ddlsp', execution, '$ddlsp');
    task.group = vscode.TaskGroup.Test;
    task.detail = 'Lint the migrations of this folder';
    task.presentationOptions = { reveal: vscode.TaskRevealKind.Silent, clear: true };
    return task;
  }
}
