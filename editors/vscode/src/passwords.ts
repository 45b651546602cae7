// Answers the server when it needs a password. Passwords live in the editor's
// secret storage if the user says so, else in memory; never in a setting.

import * as vscode from 'vscode';

export interface PasswordParams {
  user: string;
  host: string;
  port: number | string;
  database: string;
}

const prefix = 'ddlsp.password:';
const indexKey = 'ddlsp.passwords';

export class Passwords {
  private readonly inMemory = new Map<string, string>();
  /** What was answered without asking during the current run; asked again, it was wrong. */
  private readonly answered = new Set<string>();

  constructor(private readonly context: vscode.ExtensionContext) {}

  /** A new run begins: a password given in an earlier one was not refused. */
  begin(): void {
    this.answered.clear();
  }

  /** A run has failed: if it failed for its password, that one is not given again. */
  async refused(message: string): Promise<void> {
    if (/password|authentication/i.test(message)) {
      for (const key of this.answered) {
        await this.forget(key);
      }
    }
  }

  /** The password for a server, or null when the user gives none. */
  async answer(p: PasswordParams): Promise<string | null> {
    if (!vscode.workspace.isTrusted) {
      return null;
    }
    const server = `${p.host}:${p.port}`;
    const key = `${p.user}@${server}`;
    if (!this.answered.has(key)) {
      const known = this.inMemory.get(key) ?? (await this.context.secrets.get(prefix + key));
      if (known !== undefined) {
        this.answered.add(key);
        return known;
      }
    } else {
      await this.forget(key);
    }
    const typed = await vscode.window.showInputBox({
      title: `Password of ${p.user} on ${server}`,
      prompt: `For the database ${p.database}. It is sent to ${server} only.`,
      password: true,
      ignoreFocusOut: true,
    });
    if (typed === undefined) {
      return null;
    }
    this.inMemory.set(key, typed);
    this.answered.add(key);
    void this.offerToKeep(key, typed);
    return typed;
  }

  private async offerToKeep(key: string, password: string): Promise<void> {
    const keep = 'Keep';
    const choice = await vscode.window.showInformationMessage(`Keep the password of ${key} in the editor's secret storage?`, keep, 'Not now');
    if (choice === keep && this.inMemory.get(key) === password) {
      await this.context.secrets.store(prefix + key, password);
      await this.context.globalState.update(indexKey, [...new Set([...this.index(), key])]);
    }
  }

  private index(): string[] {
    return this.context.globalState.get<string[]>(indexKey, []);
  }

  private async forget(key: string): Promise<void> {
    this.inMemory.delete(key);
    await this.context.secrets.delete(prefix + key);
    await this.context.globalState.update(indexKey, this.index().filter(k => k !== key));
  }

  async forgetAll(): Promise<void> {
    const keys = new Set([...this.index(), ...this.inMemory.keys()]);
    for (const key of keys) {
      await this.forget(key);
    }
    this.answered.clear();
    void vscode.window.showInformationMessage('ddlsp has forgotten all passwords.');
  }
}
