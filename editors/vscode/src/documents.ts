// Read-only documents: previews of SQL, rule pages, reports.

import * as vscode from 'vscode';

const scheme = 'ddlsp';

export class Documents implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly subscriptions: vscode.Disposable[];
  /** How a preview is read again, by its URI, and the file that it follows. */
  private readonly followed = new Map<string, { source: string; read: () => Promise<string> }>();
  private timer: NodeJS.Timeout | undefined;
  readonly onDidChange = this.changed.event;

  constructor() {
    this.subscriptions = [
      vscode.workspace.registerTextDocumentContentProvider(scheme, this),
      vscode.workspace.onDidCloseTextDocument(d => {
        if (d.uri.scheme === scheme) {
          this.texts.delete(d.uri.toString());
          this.followed.delete(d.uri.toString());
        }
      }),
      vscode.workspace.onDidChangeTextDocument(e => {
        this.sourceChanged(e.document.uri);
      }),
    ];
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? '';
  }

  /**
   * Shows a text under a name, whose ending decides the language. Given a
   * source, the text follows the edits of that file.
   */
  async show(name: string, text: string, follow?: { source: string; read: () => Promise<string> }): Promise<void> {
    const uri = this.put(name, text, follow?.source);
    if (follow !== undefined) {
      this.followed.set(uri.toString(), { source: vscode.Uri.parse(follow.source).toString(), read: follow.read });
    }
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: true, viewColumn: vscode.ViewColumn.Beside, preserveFocus: true });
  }

  /** Shows Markdown as it is meant to be read. */
  async showMarkdown(name: string, text: string): Promise<void> {
    const uri = this.put(name, text);
    try {
      await vscode.workspace.openTextDocument(uri);
      await vscode.commands.executeCommand('markdown.showPreviewToSide', uri);
    } catch {
      await this.show(name, text);
    }
  }

  private put(name: string, text: string, query = ''): vscode.Uri {
    const uri = vscode.Uri.from({ scheme, path: `/${name}`, query });
    this.texts.set(uri.toString(), text);
    this.changed.fire(uri);
    return uri;
  }

  /** Reads the previews of an edited file again, once the typing pauses. */
  private sourceChanged(source: vscode.Uri): void {
    const those = [...this.followed].filter(([, f]) => f.source === source.toString());
    if (those.length === 0) {
      return;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      for (const [uri, { read }] of those) {
        read().then(
          text => {
            if (this.followed.has(uri) && this.texts.get(uri) !== text) {
              this.texts.set(uri, text);
              this.changed.fire(vscode.Uri.parse(uri));
            }
          },
          () => undefined, // a text that cannot be read just now keeps its last preview
        );
      }
    }, 250);
  }

  dispose(): void {
    clearTimeout(this.timer);
    vscode.Disposable.from(...this.subscriptions).dispose();
    this.changed.dispose();
  }
}
