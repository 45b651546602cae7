// The scopes that SQL inside of Elixir gets, from the grammar engine of the
// editor in EDITOR_MODULES, its own grammar of SQL, and a grammar of Elixir.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const modules = process.env.EDITOR_MODULES;
const vscode = path.join(modules, 'code-server', 'lib', 'vscode');
const require = createRequire(path.join(vscode, 'package.json'));
const { Registry, parseRawGrammar } = require('vscode-textmate');
const { loadWASM, OnigScanner, OnigString } = require('vscode-oniguruma');
await loadWASM(readFileSync(require.resolve('vscode-oniguruma/release/onig.wasm')).buffer);

const here = path.dirname(fileURLToPath(import.meta.url));
const grammars = {
  'source.elixir': path.join(modules, 'tm-grammars', 'grammars', 'elixir.json'),
  'source.sql': path.join(vscode, 'extensions', 'sql', 'syntaxes', 'sql.tmLanguage.json'),
  'ddlsp.elixir.sql': path.join(here, '..', '..', '..', 'editors', 'vscode', 'syntaxes', 'elixir-sql.json'),
};
const registry = new Registry({
  onigLib: Promise.resolve({ createOnigScanner: p => new OnigScanner(p), createOnigString: s => new OnigString(s) }),
  loadGrammar: async scope => (grammars[scope] === undefined ? null : parseRawGrammar(readFileSync(grammars[scope], 'utf8'), grammars[scope])),
  getInjections: scope => (scope === 'source.elixir' ? ['ddlsp.elixir.sql'] : undefined),
});
const grammar = await registry.loadGrammar('source.elixir');

/** The scopes of the token that starts where `word` stands in the text. */
function scopesIn(text) {
  const tokens = [];
  let state = null;
  for (const line of text.split('\n')) {
    const r = grammar.tokenizeLine(line, state);
    state = r.ruleStack;
    tokens.push(...r.tokens.map(t => ({ text: line.slice(t.startIndex, t.endIndex), scopes: t.scopes.join(' ') })));
  }
  return word => {
    const token = tokens.find(t => t.text.includes(word));
    assert(token, `no token has ${word}: ${tokens.map(t => t.text).join('|')}`);
    return token.scopes;
  };
}

const sql = 'meta.embedded.block.sql.ddlsp';
const migration = body => `defmodule M do\n  use Ecto.Migration\n\n  def change do\n${body}\n    create index(:a, [:b])\n  end\nend\n`;

const cases = [
  ['a string', '    execute "CREATE TABLE a (b int)"'],
  ['both directions', '    execute "CREATE TABLE a (b int)", "DROP TABLE a"'],
  ['both directions on two lines', '    execute "CREATE TABLE a (b int)",\n            "DROP TABLE a"'],
  ['parentheses', '    execute("CREATE TABLE a (b int)")'],
  ['parentheses on lines of their own', '    execute(\n      "CREATE TABLE a (b int)",\n      "DROP TABLE a"\n    )'],
  ['a heredoc', '    execute """\n    CREATE TABLE a (b int)\n    """'],
  ['two heredocs', '    execute """\n    CREATE TABLE a (b int)\n    """, """\n    DROP TABLE a\n    """'],
  ['a heredoc in parentheses', '    execute("""\n    CREATE TABLE a (b int)\n    """)'],
  ['a sigil', '    execute ~s(CREATE TABLE a)'],
  ['a sigil heredoc', '    execute ~S"""\n    CREATE TABLE a (b int)\n    """'],
  ['a quote left open in a heredoc', '    execute """\n    CREATE TABLE a (b text DEFAULT \'x)\n    """'],
  ['a comment in a string', '    execute "CREATE TABLE a (b int) -- note"'],
  ['a query', '    execute(fn -> repo().query!("CREATE TABLE a (b int)") end)'],
];

for (const [name, body] of cases) {
  test(`${name} is SQL, and what follows is Elixir`, () => {
    const scopes = scopesIn(migration(body));
    assert.match(scopes('CREATE'), new RegExp(`${sql.replaceAll('.', '\\.')}.* keyword`));
    if (body.includes('DROP')) {
      assert.match(scopes('DROP'), new RegExp(`${sql.replaceAll('.', '\\.')}.* keyword`));
    }
    assert(!scopes('create').includes(sql), scopes('create'));
    assert(!scopes('index').includes(sql), scopes('index'));
  });
}

test('interpolation is Elixir', () => {
  const scopes = scopesIn(migration('    execute "CREATE TABLE #{prefix()} (b int)"'));
  assert.match(scopes('prefix'), /meta\.embedded\.line\.elixir/);
  assert(scopes('int').includes(sql));
});

test('a fragment is SQL', () => {
  const scopes = scopesIn(migration('    add :at, :utc_datetime, default: fragment("now() AT TIME ZONE \'utc\'")'));
  assert(scopes('now').includes(sql), scopes('now'));
});

test('other strings are none', () => {
  const scopes = scopesIn(migration('    executed "SELECT 1"\n    add :name, :text, default: "UPDATE"\n    # execute "DELETE"\n    @execute "INSERT"'));
  for (const word of ['SELECT', 'UPDATE', 'DELETE', 'INSERT']) {
    assert(!scopes(word).includes(sql), `${word}: ${scopes(word)}`);
  }
});
