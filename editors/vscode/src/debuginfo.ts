// What somebody who helps needs to know first. No passwords, no addresses.

import * as os from 'node:os';
import * as vscode from 'vscode';
import type { Server } from './client';
import type { Projects } from './projects';

export function debugInformation(context: vscode.ExtensionContext, server: Server, projects: Projects): string {
  const config = vscode.workspace.getConfiguration('ddlsp');
  const keys = Object.keys((context.extension.packageJSON as { contributes: { configuration: { properties: object } } }).contributes.configuration.properties);
  const set = keys.map(key => key.replace(/^ddlsp\./, '')).flatMap(key => {
    const i = config.inspect(key);
    const value = config.get(key);
    return i === undefined || JSON.stringify(value) === JSON.stringify(i.defaultValue) ? [] : [`- \`ddlsp.${key}\`: \`${JSON.stringify(value)}\``];
  });
  const lines = [
    `extension: ${(context.extension.packageJSON as { version: string }).version}`,
    `editor: ${vscode.env.appName} ${vscode.version}${vscode.env.remoteName === undefined ? '' : ` (remote: ${vscode.env.remoteName})`}`,
    `system: ${os.platform()} ${os.arch()} ${os.release()}`,
    `server: ${server.version ?? 'not running'}${server.source === '' ? '' : ` (${server.source})`}`,
    ...(server.problem === undefined ? [] : [`problem: ${server.problem}`]),
    `workspace: ${(vscode.workspace.workspaceFolders ?? []).length} folders, ${vscode.workspace.isTrusted ? 'trusted' : 'not trusted'}`,
    ...(set.length === 0 ? ['settings: all as they come'] : ['settings:', ...set]),
    'projects:',
    ...projects.all.map(p => `- ${p.name}: ${p.format}, ${(p.migrations ?? []).length} migrations${p.foreign === undefined || p.foreign === '' ? '' : `, left alone: ${p.foreign}`}`),
    ...(projects.all.length === 0 ? ['- none'] : []),
  ];
  return `${lines.join('\n')}\n`;
}
