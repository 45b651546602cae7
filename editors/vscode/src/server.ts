// Finds the server's program. Nothing is ever downloaded.

import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import * as path from 'node:path';
import * as vscode from 'vscode';
import { startFailure } from './text';

export interface Program {
  path: string;
  /** Where it was found, for people. */
  source: string;
}

/** The program to start, or an error that says what to do. */
export async function findProgram(context: vscode.ExtensionContext): Promise<Program> {
  const exe = process.platform === 'win32' ? 'ddlsp.exe' : 'ddlsp';
  const configured = vscode.workspace.getConfiguration('ddlsp').get<string>('server.path', '').trim();
  if (configured !== '') {
    const program = { path: expand(configured), source: 'the setting ddlsp.server.path' };
    const why = await doesNotRun(program.path);
    if (why !== undefined) {
      throw new Error(`The ddlsp server did not start: ${why}. Correct the setting ddlsp.server.path.`);
    }
    return program;
  }

  const bundled = context.asAbsolutePath(path.join('bin', exe));
  let whyBundled: string | undefined;
  if (exists(bundled)) {
    whyBundled = await doesNotRun(bundled);
    if (whyBundled === undefined) {
      return { path: bundled, source: 'the extension' };
    }
  }

  const whyPath = await doesNotRun('ddlsp');
  if (whyPath === undefined) {
    return { path: 'ddlsp', source: 'PATH' };
  }
  if (whyBundled !== undefined) {
    throw new Error(`The ddlsp server did not start: ${whyBundled}. Install ddlsp so that it is on PATH, or set ddlsp.server.path.`);
  }
  const what = whyPath.startsWith('there is no') ? 'no program ddlsp is on PATH' : whyPath;
  throw new Error(`The ddlsp server did not start: ${what}. Install it with "go install github.com/ddlsp/ddlsp/cmd/ddlsp@latest", or set ddlsp.server.path.`);
}

function exists(file: string): boolean {
  try {
    accessSync(file, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}

/** Says why a program does not run, or undefined when it does. */
function doesNotRun(file: string): Promise<string | undefined> {
  return new Promise(resolve => {
    execFile(file, ['serve', '--help'], { timeout: 15_000, windowsHide: true }, (error, stdout, stderr) => {
      if (error === null) {
        resolve(undefined);
        return;
      }
      const code = error.killed === true ? 'ETIMEDOUT' : String(error.code ?? '');
      resolve(startFailure(file, code, stderr === '' ? stdout : stderr));
    });
  });
}

function expand(setting: string): string {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
  return setting
    .replace(/^~(?=$|[/\\])/, homedir())
    .replaceAll('${workspaceFolder}', folder)
    .replace(/\$\{env:(\w+)\}/g, (_, name: string) => process.env[name] ?? '');
}
