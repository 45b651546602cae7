// The connection to the server: starts it, stops it, and sends its commands.

import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import {
  CloseAction,
  DidChangeConfigurationNotification,
  ErrorAction,
  ExecuteCommandRequest,
  LanguageClient,
  MessageType,
  NotificationType,
  RequestType,
  ShowMessageNotification,
  State,
  WorkDoneProgress,
  WorkDoneProgressCancelNotification,
  type CloseHandlerResult,
  type DocumentFilter,
  type LanguageClientOptions,
  type ServerOptions,
} from 'vscode-languageclient/node';
import { serverCommands, type CommandArgs, type ServerCommand } from './contract';
import type { PasswordParams, Passwords } from './passwords';
import { findProgram, type Program } from './server';

const passwordRequest = new RequestType<PasswordParams, string | null, void>('ddlsp/password');
const trustNotification = new NotificationType<{ trusted: boolean }>('ddlsp/workspaceTrust');

/** A server that ends by itself is started again this often within the window, in milliseconds. */
const restarts = 4;
const restartWindow = 180_000;

/** What a command that came from the palette, a lens or an action is answered with. */
export type CommandHandler = (command: ServerCommand, given: unknown) => Promise<unknown>;

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private program: Program | undefined;
  /** Why the server does not run; undefined while it does or may. */
  private trouble: string | undefined;
  /** Commands registered here because the server offers none. */
  private standIns: vscode.Disposable[] = [];
  /** Runs whose results this extension shows, so that the server's own words go to the log. */
  private ownRuns = 0;
  /** Set while the server is being started: the client's own start would wait for ever. */
  private endedEarly: (() => void) | undefined;
  /** The server answered once: only then it is worth starting again. */
  private ran = false;
  /** When the server ended by itself, in milliseconds. */
  private ends: number[] = [];
  private starting: Promise<void> = Promise.resolve();
  private readonly ready = new vscode.EventEmitter<void>();
  /** Fires when a server has started and answers. */
  readonly onReady = this.ready.event;

  constructor(
    private readonly context: vscode.ExtensionContext,
    /** What the extension does; what the server says, and the trace, go to serverLog. */
    readonly log: vscode.LogOutputChannel,
    readonly serverLog: vscode.LogOutputChannel,
    private readonly passwords: Passwords,
    private readonly handle: CommandHandler,
  ) {}

  /** Starts the server. It does not throw: what went wrong is shown, and again by every command. */
  start(): Promise<void> {
    this.starting = this.starting.then(() => this.startNow());
    return this.starting;
  }

  private async startNow(): Promise<void> {
    this.trouble = undefined;
    try {
      this.program = await findProgram(this.context);
      this.log.info(`server: ${this.program.path} (from ${this.program.source})`);
      const client = this.newClient(this.program);
      this.client = client;
      this.ran = false;
      const ended = new Promise<never>((_, reject) => {
        this.endedEarly = () => {
          reject(new Error('it ended as soon as it was started'));
        };
      });
      try {
        await Promise.race([client.start(), ended]);
        this.ran = true;
        this.ready.fire();
      } catch (error) {
        throw new Error(`The ddlsp server did not start (${this.source}): ${words(error)}. The log says more.`);
      } finally {
        this.endedEarly = undefined;
      }
    } catch (error) {
      this.trouble = words(error);
      this.log.error(this.trouble);
      void this.showTrouble();
    }
    this.standIn();
    const offered = this.client?.initializeResult?.capabilities.executeCommandProvider?.commands ?? [];
    void vscode.commands.executeCommand('setContext', 'ddlsp.verifies', offered.includes('ddlsp.verify'));
  }

  async restart(): Promise<void> {
    await this.starting;
    const client = this.client;
    this.client = undefined;
    this.ends = [];
    if (client !== undefined) {
      await this.disposeOf(client);
    }
    await this.start();
  }

  async stop(): Promise<void> {
    await this.starting;
    const client = this.client;
    this.client = undefined;
    if (client !== undefined) {
      await this.disposeOf(client);
    }
  }

  /** Ends a client, and does not wait long for a server that does not answer. */
  private async disposeOf(client: LanguageClient): Promise<void> {
    const late = new Promise<void>(resolve => setTimeout(resolve, 3000));
    const disposed = client.dispose(2000).catch((error: unknown) => {
      this.log.warn(`stopping the server: ${words(error)}`);
    });
    await Promise.race([disposed, late]);
  }

  /** The server has ended by itself: is it started again? */
  private closed(client: LanguageClient): CloseHandlerResult {
    if (client !== this.client || !this.ran) {
      this.endedEarly?.();
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    const now = Date.now();
    this.ends = [...this.ends.filter(t => now - t < restartWindow), now];
    if (this.ends.length <= restarts) {
      this.log.warn('the server has ended; it is started again');
      return { action: CloseAction.Restart, handled: true };
    }
    this.trouble = `The ddlsp server has ended ${this.ends.length} times in a short while and is not started again. The log says more.`;
    void this.showTrouble();
    return { action: CloseAction.DoNotRestart, handled: true };
  }

  get version(): string | undefined {
    const info = this.client?.initializeResult?.serverInfo;
    return info === undefined ? undefined : `${info.name} ${info.version ?? ''}`.trim();
  }

  get source(): string {
    return this.program === undefined ? '' : `${this.program.path}, from ${this.program.source}`;
  }

  get running(): boolean {
    return this.client?.state === State.Running;
  }

  /** The URI of a document in the server's spelling. */
  uri(uri: vscode.Uri): string {
    return this.client?.code2ProtocolConverter.asUri(uri) ?? uri.toString();
  }

  settingsChanged(): void {
    if (this.running) {
      void this.client?.sendNotification(DidChangeConfigurationNotification.type, { settings: { ddlsp: settings() } });
    }
  }

  trusted(): void {
    void this.client?.sendNotification(trustNotification, { trusted: true });
  }

  /** Sends a command and returns the server's answer. */
  async execute<T>(command: ServerCommand, args: CommandArgs, token?: string): Promise<T> {
    await this.starting;
    if (this.client?.state !== State.Running) {
      throw new Error(this.trouble ?? 'The ddlsp server is not running. Run "ddlsp: Restart Server".');
    }
    return (await this.client.sendRequest(ExecuteCommandRequest.type, {
      command,
      arguments: [args],
      ...(token === undefined ? {} : { workDoneToken: token }),
    })) as T;
  }

  /**
   * Sends a command under a notification with progress and, if it can be, a
   * Cancel button. What is done within `patience` milliseconds shows none.
   */
  async executeWithProgress<T>(title: string, command: ServerCommand, args: CommandArgs, patience = 0): Promise<T> {
    const client = this.client;
    const token = randomUUID();
    let report: (value: { message?: string; increment?: number }) => void = () => undefined;
    let percent = 0;
    const listening = client?.onProgress(WorkDoneProgress.type, token, value => {
      if (value.kind === 'end') {
        return;
      }
      const increment = value.percentage === undefined ? undefined : Math.max(0, value.percentage - percent);
      percent = value.percentage ?? percent;
      report({ ...(value.message === undefined ? {} : { message: value.message }), ...(increment === undefined ? {} : { increment }) });
    });
    this.ownRuns++;
    this.passwords.begin();
    const work = this.execute<T>(command, args, token);
    // Whoever asks for the answer gets the failure too.
    work.catch(() => undefined);
    const show = setTimeout(() => {
      void vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title, cancellable: true }, async (progress, cancelled) => {
        report = value => {
          progress.report(value);
        };
        const cancelling = cancelled.onCancellationRequested(() => {
          progress.report({ message: 'cancelling...' });
          void client?.sendNotification(WorkDoneProgressCancelNotification.type, { token });
        });
        await work.catch(() => undefined);
        cancelling.dispose();
      });
    }, patience);
    try {
      return await work;
    } catch (error) {
      await this.passwords.refused(words(error));
      throw error;
    } finally {
      clearTimeout(show);
      this.ownRuns--;
      listening?.dispose();
    }
  }

  /**
   * Registers the server's commands that the running server does not offer,
   * or all of them when it does not run, so that each says why.
   */
  private standIn(): void {
    this.standDown();
    for (const command of serverCommands) {
      try {
        this.standIns.push(
          vscode.commands.registerCommand(command, () => {
            if (!this.running) {
              return this.showTrouble();
            }
            return vscode.window.showErrorMessage(`This ddlsp server (${this.source}) does not know the command ${command}. Install a newer one.`);
          }),
        );
      } catch {
        // The client has registered it: the server offers it.
      }
    }
  }

  private standDown(): void {
    for (const d of this.standIns.splice(0)) {
      d.dispose();
    }
  }

  private async showTrouble(): Promise<void> {
    const settings = 'Open Settings';
    const restart = 'Restart Server';
    const logs = 'Show Logs';
    const message = this.trouble ?? 'The ddlsp server is not running.';
    const choice = await vscode.window.showErrorMessage(message, settings, restart, logs);
    if (choice === settings) {
      await vscode.commands.executeCommand('workbench.action.openSettings', 'ddlsp.server.path');
    } else if (choice === restart) {
      await this.restart();
    } else if (choice === logs) {
      this.log.show();
    }
  }

  private newClient(program: Program): LanguageClient {
    const serverOptions: ServerOptions = { command: program.path, args: ['serve'] };
    const config = vscode.workspace.getConfiguration('ddlsp');
    const options: LanguageClientOptions = {
      documentSelector: selector(config.get<string[]>('files', [])),
      outputChannel: this.serverLog,
      // The problem matcher's owner too: what the server says of an open file replaces what a task said.
      diagnosticCollectionName: 'ddlsp',
      initializationOptions: {
        workspaceTrusted: vscode.workspace.isTrusted,
        diagnostics: 'push',
        password: true, // this client answers ddlsp/password
        settings: settings(),
      },
      // start() fails, which is enough.
      initializationFailedHandler: () => false,
      errorHandler: {
        // A message that cannot be read or written; closed() follows if it matters.
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.closed(client),
      },
      middleware: {
        executeCommand: async (command, args: unknown[], next) => {
          if (!isServerCommand(command)) {
            return next(command, args) as unknown;
          }
          return this.handle(command, args[0]);
        },
      },
    };
    const client: LanguageClient = new LanguageClient('ddlsp', 'ddlsp', serverOptions, options);
    client.onRequest(passwordRequest, params => this.passwords.answer(params));
    client.onNotification(ShowMessageNotification.type, message => {
      this.showMessage(message.type, message.message);
    });
    client.onDidChangeState(change => {
      if (client !== this.client) {
        return;
      }
      if (change.newState === State.Starting) {
        this.standDown();
      } else if (change.newState === State.Stopped) {
        this.trouble ??= 'The ddlsp server has stopped. Its log says why; "ddlsp: Restart Server" starts it again.';
        // Not before the client has taken its own commands away.
        setTimeout(() => {
          if (client === this.client && client.state === State.Stopped) {
            this.standIn();
          }
        }, 0);
      } else {
        this.trouble = undefined;
      }
    });
    return client;
  }

  private showMessage(type: MessageType, message: string): void {
    if (this.ownRuns > 0) {
      this.log.info(message);
      return;
    }
    switch (type) {
      case MessageType.Error:
        void vscode.window.showErrorMessage(message);
        break;
      case MessageType.Warning:
        void vscode.window.showWarningMessage(message);
        break;
      case MessageType.Info:
        void vscode.window.showInformationMessage(message);
        break;
      default:
        this.log.info(message);
    }
  }

  /** Why the server does not run, if it does not. */
  get problem(): string | undefined {
    return this.trouble;
  }

  dispose(): void {
    this.standDown();
    this.ready.dispose();
  }
}

/** The settings that the server has a use for. */
function settings(): object {
  const config = vscode.workspace.getConfiguration('ddlsp');
  return {
    lint: { enabled: config.get('lint.enabled') },
    inlayHints: { locks: config.get('inlayHints.locks') },
    codeLens: { enabled: config.get('codeLens.enabled') },
    database: config.get('database'),
  };
}

/**
 * The documents the server is told about. They are chosen by path and not by
 * language: other extensions give .sql files language ids of their own.
 */
function selector(further: string[]): DocumentFilter[] {
  const patterns = ['**/*.sql', '**/priv/**/*.exs', '**/*migrations*/**/*.exs', ...further];
  return [...patterns.map(pattern => ({ scheme: 'file', pattern })), { scheme: 'untitled', language: 'sql' }];
}

function isServerCommand(command: string): command is ServerCommand {
  return (serverCommands as readonly string[]).includes(command);
}

export function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
