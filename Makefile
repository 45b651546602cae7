# make          builds bin/ddlsp
# make demo     builds it, starts a private PostgreSQL and drives the language
#               server through a whole editing session
# make test     runs every check and test, and installs what they need
# make fast     the Go tests only
# make docs     writes the generated pages again
# make vsix     packages the VS Code extension, with the server and without
# make pictures takes the pictures in docs/images anew, in real editors
# make corpus DIRS="~/src/a ~/src/b"
#               reads every Ecto migration below the folders and says which
#               compile fully, why the others do not, and how long it took
# make comparison  runs other linters, fetched by npm and git, on the cases about
#               indexes and writes docs/comparison.md

.PHONY: build demo test fast docs comparison bench corpus clean

build:
	@.ci/setup build
	go build -o bin/ddlsp ./cmd/ddlsp

demo:
	@.ci/setup postgres
	go build -o bin/ddlsp ./cmd/ddlsp
	go run ./internal/demo bin/ddlsp

test:
	.ci/test

fast:
	.ci/test --fast

docs:
	go generate ./...

comparison:
	go run ./internal/compare

vsix: build
	.ci/editors/package.sh bin bin/ddlsp

pictures: build
	.ci/editors/pictures.sh bin/ddlsp

bench:
	go test -run '^$$' -bench . ./...

corpus:
	DDLSP_ECTO_CORPUS="$$(echo $(DIRS) | tr ' ' ':')" go test ./migration/ecto -run Corpus -count 1 -v

clean:
	rm -rf bin
