const vscode = require('vscode');

exports.activate = context => {
  const problems = vscode.languages.createDiagnosticCollection('postgres-neighbour');
  const look = document => {
    const at = document.getText().indexOf('CREATE INDEX');
    if (document.languageId === 'postgres' && at !== -1) {
      const d = new vscode.Diagnostic(document.lineAt(document.positionAt(at)).range, 'seen', vscode.DiagnosticSeverity.Warning);
      d.source = 'postgres-neighbour';
      problems.set(document.uri, [d]);
    }
  };
  vscode.workspace.textDocuments.forEach(look);
  context.subscriptions.push(
    problems,
    vscode.workspace.onDidOpenTextDocument(look),
    vscode.languages.registerCompletionItemProvider('postgres', { provideCompletionItems: () => [new vscode.CompletionItem('from_the_neighbour')] }),
  );
};
