; extends

; execute "...", "..." and fragment("...") are SQL, as are heredocs and sigils.
((call
  target: (identifier) @_function
  (arguments
    (string
      (quoted_content) @injection.content)))
  (#any-of? @_function "execute" "fragment")
  (#set! injection.language "sql"))

((call
  target: (identifier) @_function
  (arguments
    (sigil
      (sigil_name) @_sigil
      (quoted_content) @injection.content)))
  (#any-of? @_function "execute" "fragment")
  (#any-of? @_sigil "s" "S")
  (#set! injection.language "sql"))

; repo().query!("...")
((call
  target: (dot
    right: (identifier) @_function)
  (arguments
    .
    (string
      (quoted_content) @injection.content)))
  (#any-of? @_function "query" "query!" "query_many" "query_many!")
  (#set! injection.language "sql"))

((call
  target: (dot
    right: (identifier) @_function)
  (arguments
    .
    (sigil
      (sigil_name) @_sigil
      (quoted_content) @injection.content)))
  (#any-of? @_function "query" "query!" "query_many" "query_many!")
  (#any-of? @_sigil "s" "S")
  (#set! injection.language "sql"))
