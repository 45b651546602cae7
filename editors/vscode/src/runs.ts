// Migrate, roll back, redo: what would run is shown first, and runs only
// after a yes to exactly that.

import { existsSync } from 'node:fs';
import * as path from 'node:path';
import * as vscode from 'vscode';
import type { Server } from './client';
import type { CommandArgs, RunCommand, RunResult } from './contract';
import type { Documents } from './documents';
import { failure, nothingToDo, outcome, planDocument, question, target, verb } from './text';

/** Reading a plan seldom takes longer than this, in milliseconds. */
const brief = 1500;

export class Runs {
  constructor(
    private readonly server: Server,
    private readonly documents: Documents,
    /** Called after every run that may have changed a database. */
    private readonly finished: (args: CommandArgs) => void,
  ) {}

  async run(command: RunCommand, args: CommandArgs): Promise<RunResult | undefined> {
    if (args.dryRun === true || args.plan !== undefined) {
      // The caller does the asking.
      return this.server.execute<RunResult>(command, args);
    }
    if (!(await saved(args))) {
      return undefined;
    }
    const plan = await this.server.executeWithProgress<RunResult | null>(`${verb(command)}: reading what would run`, command, { ...args, dryRun: true }, brief);
    if (plan === null) {
      return undefined;
    }
    if (plan.error !== null) {
      await this.showFailure(plan);
      return plan;
    }
    if ((plan.migrations ?? []).length === 0) {
      void vscode.window.showInformationMessage(nothingToDo(command, plan));
      this.finished(args);
      return plan;
    }
    if (!(await this.confirmed(command, plan))) {
      return undefined;
    }
    let confirm: string | undefined;
    if (plan.protected === true) {
      confirm = await typedName(plan);
      if (confirm === undefined) {
        return undefined;
      }
    }
    const result = await this.server.executeWithProgress<RunResult | null>(`${verb(command)} ${target(plan)}`, command, {
      ...args,
      plan: plan.plan,
      ...(confirm === undefined ? {} : { confirm }),
    });
    if (result === null) {
      return undefined;
    }
    this.finished(args);
    if (result.error !== null) {
      void this.showFailure(result);
    } else {
      void vscode.window.showInformationMessage(outcome(result));
    }
    return result;
  }

  /** Did the user say yes to this plan? */
  private async confirmed(command: RunCommand, plan: RunResult): Promise<boolean> {
    const yes = verb(command);
    const show = 'Show SQL';
    const { message, detail } = question(command, plan);
    const first = await vscode.window.showWarningMessage(message, { modal: true, detail }, yes, show);
    if (first !== show) {
      return first === yes;
    }
    await this.documents.show(`${plan.database} ${plan.direction}.sql`, planDocument(plan));
    // Not modal, so that the SQL can be read.
    return (await vscode.window.showWarningMessage(message, yes, 'Cancel')) === yes;
  }

  private async showFailure(result: RunResult): Promise<void> {
    const open = 'Open';
    const file = resolvePath(result.error?.path);
    const choice = await vscode.window.showErrorMessage(failure(result), ...(file === undefined ? [] : [open]));
    if (choice === open && file !== undefined) {
      await openAt(file, result.error?.range?.start.line);
    }
  }
}

/** Runs go by what is on disk: an unsaved migration is saved first, or nothing runs. */
async function saved(args: CommandArgs): Promise<boolean> {
  const dirty = vscode.workspace.textDocuments.filter(
    d => d.isDirty && d.uri.scheme === 'file' && (d.uri.toString() === normal(args.uri) || /migrat|[\\/]priv[\\/]/.test(d.uri.fsPath)) && /\.(sql|exs)$/.test(d.uri.path),
  );
  if (dirty.length === 0) {
    return true;
  }
  const save = 'Save and Continue';
  const names = dirty.map(d => path.basename(d.uri.fsPath)).join(', ');
  const choice = await vscode.window.showWarningMessage(`${names} has changes that are not saved. What runs is what is saved.`, { modal: true }, save);
  if (choice !== save) {
    return false;
  }
  for (const d of dirty) {
    if (!(await d.save())) {
      return false;
    }
  }
  return true;
}

function normal(uri: string | undefined): string {
  return uri === undefined ? '' : vscode.Uri.parse(uri).toString();
}

async function typedName(plan: RunResult): Promise<string | undefined> {
  return vscode.window.showInputBox({
    title: `${target(plan)} is protected`,
    prompt: `Type the name of the database, ${plan.database}, to go on.`,
    ignoreFocusOut: true,
    validateInput: typed => (typed === plan.database ? undefined : `Not ${plan.database}`),
  });
}

/** The file of a path that the server gave, which may be relative to a folder of the workspace. */
export function resolvePath(p: string | null | undefined): string | undefined {
  if (p === undefined || p === null || p === '') {
    return undefined;
  }
  if (path.isAbsolute(p)) {
    return p;
  }
  const candidates = (vscode.workspace.workspaceFolders ?? []).map(folder => path.join(folder.uri.fsPath, p));
  return candidates.find(existsSync) ?? candidates[0];
}

export async function openAt(file: string, line?: number): Promise<void> {
  const document = await vscode.workspace.openTextDocument(file);
  const at = new vscode.Position(Math.max(0, (line ?? 1) - 1), 0);
  await vscode.window.showTextDocument(document, { selection: new vscode.Range(at, at) });
}

/** Puts a text with tab stops in the place of the whole text of an open file; what is there is the same text with their defaults. */
export async function fillIn(file: string, snippet: string | undefined): Promise<void> {
  const editor = vscode.window.visibleTextEditors.find(e => e.document.uri.fsPath === vscode.Uri.file(file).fsPath);
  if (snippet === undefined || editor === undefined || !/\$\{?1/.test(snippet)) {
    return;
  }
  const whole = new vscode.Range(new vscode.Position(0, 0), editor.document.lineAt(editor.document.lineCount - 1).range.end);
  await editor.insertSnippet(new vscode.SnippetString(snippet), whole, { undoStopBefore: true, undoStopAfter: true, keepWhitespace: true });
}
