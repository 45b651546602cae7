;;; spec.el --- a user's session in a real Emacs -*- lexical-binding: t -*-
;; usage: emacs -Q --batch -l CONFIGURATION -l spec.el
;; WORKSPACE holds a copy of the fixture; PG* lead to the database server, on
;; which the database named by METRICS_DB is empty.

(require 'eglot)
(require 'flymake)
(require 'cl-lib)

(defvar spec-root (file-name-as-directory (getenv "WORKSPACE")))
(defvar spec-failed 0)
(defvar spec-asked nil "What the user was asked.")
(defvar spec-answer nil "What the user answers; nil is no answer at all.")

;; Emacs has no mode for Elixir without tree-sitter's grammar of it, which
;; nobody has installed here.
(define-derived-mode elixir-mode prog-mode "Elixir")
(add-to-list 'auto-mode-alist '("\\.exs\\'" . elixir-mode))

(setq eglot-autoshutdown nil
      jsonrpc-event-hook nil
      eglot-confirm-server-edits nil
      eglot-report-progress nil
      create-lockfiles nil
      make-backup-files nil)

;; The user at the keyboard.
(setq completing-read-function
      (lambda (prompt choices &rest _)
        (push prompt spec-asked)
        (or (cl-find-if (lambda (c) (and spec-answer (string-prefix-p spec-answer c)))
                        (all-completions "" choices))
            (error "No answer to %s: %S" prompt (all-completions "" choices)))))

(defmacro spec (name &rest body)
  (declare (indent 1))
  `(condition-case err
       (progn ,@body (princ (format "ok   %s\n" ,name)))
     (error (setq spec-failed (1+ spec-failed))
            (princ (format "FAIL %s\n     %s\n" ,name (error-message-string err))))))

(defun spec-await (what condition)
  "Wait until CONDITION is not nil and return it."
  (let ((end (+ (float-time) 15)) result)
    (while (not (setq result (funcall condition)))
      (when (> (float-time) end) (error "Waited in vain for %s" what))
      (accept-process-output nil 0.02))
    result))

(defun spec-must (got what)
  (unless got (error "%s" what)))

(defun spec-connect (file)
  "Open FILE as a user does who has called `eglot-ensure' in the mode's hook."
  (set-buffer (find-file-noselect (concat spec-root file)))
  (unless (eglot-managed-p)
    (apply #'eglot (eglot--guess-contact))
    (spec-await "the server" #'eglot-managed-p)))

(defun spec-problems ()
  (flymake-start)
  (mapcar #'flymake-diagnostic-text (flymake-diagnostics)))

(defun spec-await-problem (text)
  (spec-await (concat "the problem " text)
              (lambda () (cl-find-if (lambda (p) (string-match-p (regexp-quote text) p)) (spec-problems)))))

(defun spec-query (sql)
  (with-temp-buffer
    (let ((process-environment (cons (concat "PGPASSWORD=" (getenv "TEST_PASSWORD")) process-environment)))
      (unless (eq 0 (call-process "psql" nil t nil "-XAtq" "-v" "ON_ERROR_STOP=1" "-d" (getenv "METRICS_DB") "-c" sql))
        (error "%s" (buffer-string))))
    (string-trim (buffer-string))))

(defun spec-exists (relation)
  (equal "t" (spec-query (format "SELECT to_regclass('public.%s') IS NOT NULL" relation))))

(defun spec-command (command &rest arguments)
  "Run COMMAND as the documentation's function does, and wait for its answer."
  (let (done answer failure)
    (jsonrpc-async-request
     (eglot-current-server) :workspace/executeCommand
     (list :command command :arguments (vector arguments))
     :timeout 60
     :success-fn (lambda (r) (setq done t answer r))
     :error-fn (lambda (e) (setq done t failure e)))
    (spec-await command (lambda () done))
    (when failure (error "%s: %s" command (plist-get failure :message)))
    answer))

(defun spec-uri () (eglot-path-to-uri (buffer-file-name)))

(spec "the configuration of the documentation starts the server, and Flymake shows its findings"
  (spec-connect "metrics/migrations/00002_index_device_names.sql")
  (spec-must (string-match-p "ddlsp" (format "%s" (plist-get (eglot--server-info (eglot-current-server)) :name))) "another server answers")
  (spec-await-problem "blocks every write to \"devices\""))

(spec "a code action mends it"
  (let ((d (cl-find-if (lambda (d) (string-match-p "blocks every write" (flymake-diagnostic-text d))) (flymake-diagnostics)))
        (last-nonmenu-event ?m)) ; by a key, not by a mouse
    (goto-char (flymake-diagnostic-beg d))
    (setq spec-answer "Build")
    (eglot-code-actions (flymake-diagnostic-beg d) (flymake-diagnostic-end d) "quickfix" t)
    (spec-must (string-match-p "CREATE INDEX CONCURRENTLY devices_name_idx" (buffer-string)) (buffer-string))
    (spec-must (string-match-p "NO TRANSACTION" (buffer-string)) (buffer-string)))
  (save-buffer)
  (spec-await "no problem" (lambda () (null (spec-problems)))))

(defun spec-complete (typed label)
  "Take LABEL of what is offered for the word TYPED before point."
  (let* ((capf (eglot-completion-at-point))
         (items (all-completions typed (nth 2 capf)))
         (item (cl-find-if (lambda (i) (equal (substring-no-properties i) label)) items)))
    (spec-must item (format "offered: %S" (mapcar #'substring-no-properties items)))
    (delete-region (nth 0 capf) (nth 1 capf))
    (insert item)
    (funcall (plist-get (nthcdr 3 capf) :exit-function) item 'finished)))

(spec "completion of a template inserts plain text"
  (find-file (concat spec-root "metrics/migrations/00009_add_note_to_devices.sql"))
  (insert "-- +goose Up\nadd_col\n\n-- +goose Down\n")
  (save-buffer)
  (spec-connect "metrics/migrations/00009_add_note_to_devices.sql")
  (goto-char (point-min))
  (search-forward "add_col")
  (spec-complete "add_col" "add_column")
  (spec-must (equal (buffer-string) "-- +goose Up\nALTER TABLE devices ADD COLUMN note text;\n\n-- +goose Down\nALTER TABLE devices DROP COLUMN note;\n")
             (buffer-string))
  (save-buffer))

(spec "hover shows what a statement locks"
  (goto-char (point-min))
  (search-forward "ADD COL")
  (let ((hover (jsonrpc-request (eglot-current-server) :textDocument/hover (eglot--TextDocumentPositionParams))))
    (spec-must (string-match-p "ACCESS EXCLUSIVE" (format "%S" hover)) (format "%S" hover))))

(spec "a new migration is written and shown"
  (spec-command "ddlsp.newMigration" :uri (spec-uri) :template "create_table" :name "create_sites")
  (let ((buffer (spec-await "its buffer" (lambda () (cl-find-if (lambda (b) (string-match-p "create_sites" (buffer-name b))) (buffer-list))))))
    (with-current-buffer buffer
      (spec-must (string-match-p "CREATE TABLE sites" (buffer-string)) (buffer-string)))))

(spec "migrating asks first, and an unasked user changes nothing"
  (spec-connect "metrics/migrations/00001_create_devices.sql")
  (setq spec-asked nil spec-answer "Cancel")
  (ignore-errors (spec-command "ddlsp.migrate" :uri (spec-uri) :to "1"))
  (spec-must (= 1 (length spec-asked)) (format "asked %S" spec-asked))
  (spec-must (not (spec-exists "devices")) "it migrated all the same")
  (setq spec-asked nil spec-answer "Migrate")
  (spec-command "ddlsp.migrate" :uri (spec-uri) :to "2")
  (spec-must (spec-exists "devices") "nothing was migrated")
  (spec-must (spec-exists "devices_name_idx") "the second migration was not run"))

(spec "a failure is shown on its line"
  (find-file (concat spec-root "metrics/migrations/00003_create_readings.sql"))
  (erase-buffer)
  (insert "-- +goose Up\nSELECT 1;\nALTER TABLE nowhere ADD COLUMN a text;\n\n-- +goose Down\nSELECT 1;\n")
  (save-buffer)
  (spec-connect "metrics/migrations/00003_create_readings.sql")
  (setq spec-answer "Migrate")
  (ignore-errors (spec-command "ddlsp.migrate" :uri (spec-uri) :to "3"))
  (spec-await-problem "relation \"nowhere\" does not exist")
  (let ((d (cl-find-if (lambda (d) (string-match-p "nowhere\" does not exist" (flymake-diagnostic-text d))) (flymake-diagnostics))))
    (spec-must (= 3 (line-number-at-pos (flymake-diagnostic-beg d))) (format "in line %d" (line-number-at-pos (flymake-diagnostic-beg d))))))

(spec "rolling back by the documentation's function asks first"
  (spec-connect "metrics/migrations/00001_create_devices.sql")
  (setq spec-asked nil spec-answer "Roll")
  (ddlsp "rollback")
  (spec-await "the rollback" (lambda () (not (spec-exists "devices_name_idx"))))
  (spec-must (= 1 (length spec-asked)) (format "asked %S" spec-asked))
  (spec-must (not (spec-exists "devices_name_idx")) "the index is still there")
  (spec-must (spec-exists "devices") "more was rolled back than asked"))

(spec "an Ecto migration has findings too"
  (spec-connect "shop/priv/repo/migrations/20260102000000_index_product_names.exs")
  (spec-await-problem "blocks every write to \"products\""))

(spec "completion in an up of Elixir fills the down as well"
  (find-file (concat spec-root "shop/priv/repo/migrations/20260103000000_tidy.exs"))
  (insert "defmodule Shop.Repo.Migrations.Tidy do\n  use Ecto.Migration\n\n  def up do\n    execute \"SELECT 1\"\n    add_col\n  end\n\n  def down do\n    execute \"SELECT 2\"\n  end\nend\n")
  (save-buffer)
  (spec-connect "shop/priv/repo/migrations/20260103000000_tidy.exs")
  (goto-char (point-min))
  (search-forward "add_col")
  (spec-complete "add_col" "add_column")
  (spec-must (string-match-p (regexp-quote "  def down do\n    alter table(:products) do\n      remove :note, :string\n    end\n\n    execute \"SELECT 2\"\n  end\nend\n") (replace-regexp-in-string "orders" "products" (buffer-string))) (buffer-string))
  (spec-must (string-match-p (regexp-quote "    execute \"SELECT 1\"\n\n    alter table(") (buffer-string)) (buffer-string))
  (set-buffer-modified-p nil))

(princ (format "%s\n" (if (= 0 spec-failed) "all passed" (format "%d failed" spec-failed))))
(kill-emacs (if (= 0 spec-failed) 0 1))
