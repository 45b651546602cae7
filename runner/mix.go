package runner

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ddlsp/ddlsp/internal/regex"
	"github.com/ddlsp/ddlsp/migration"
)

// How the migrations of an Ecto repo are run.
const (
	// RunAuto runs natively what can be, and hands over to mix what cannot.
	RunAuto = "auto"
	// RunNative never starts mix, RunMix always does.
	RunNative = "native"
	RunMix    = "mix"
)

// A handOver is what mix says of a repo that it is to run the migrations of.
type handOver struct {
	// why it does, for people; "" when the configuration says so.
	why string
	// settings are the repo's effective settings, as text: those of the
	// configuration files with what its init/2 and its url add.
	settings map[string]string
	// parameters are sent when a session begins.
	parameters map[string]string
}

// byMix reports whether mix runs everything.
func (r *Runner) byMix() bool {
	return r.opts.Format == migration.Ecto && r.opts.Ecto.Runner == RunMix
}

// needsMix is the reason for which a plan was refused that mix could run, or
// "".
func (r *Runner) needsMix(err error) string {
	var e *Error
	if r.opts.Format != migration.Ecto || r.opts.Ecto.Runner != RunAuto || r.handOver != nil || !errors.As(err, &e) {
		return ""
	}
	return e.tool
}

var moduleName = regex.MustCompile(`^[A-Z][A-Za-z0-9_]*(\.[A-Z][A-Za-z0-9_]*)*$`)

// question is the Elixir that prints a repo's effective settings, each in one
// line, its value in base 64. The password and the url are not among them.
const question = `
for {key, value} <- %[1]s.config(), key in [:hostname, :port, :database, :username, :socket, :socket_dir, :endpoints, :migration_source, :migration_repo, :after_connect, :search_path], value != nil do
  IO.puts("%[2]s #{key} #{Base.encode64(if is_binary(value), do: value, else: inspect(value))}")
end
for {key, value} <- %[1]s.config()[:parameters] || [] do
  IO.puts("%[2]s :#{key} #{Base.encode64(to_string(value))}")
end
IO.puts("%[2]s adapter #{Base.encode64(inspect(%[1]s.__adapter__()))}")
`

// mark begins the lines of the answer, which stand among what a compiler and
// the project itself may print.
const mark = "ddlsp-setting"

// ask has mix say where the repo's database is and makes sure that it is the
// target. Nothing is sent to any database.
func (r *Runner) ask(ctx context.Context, why string, req Request) error {
	e := r.opts.Ecto
	refuse := func(format string, args ...any) error {
		return refusef("%s. Nothing was changed. mix's own command is: %s", fmt.Sprintf(format, args...), r.tool.command(req))
	}
	if !moduleName.MatchString(e.Repo) {
		return refuse("%sthe repo's module is not known", because(why))
	}
	r.opts.event(Event{Kind: "output", Message: "mix is asked for the settings of " + e.Repo})
	out, err := r.mix(ctx, []string{"run", "--no-start", "-e", fmt.Sprintf(question, e.Repo, mark)}, nil)
	if err != nil {
		return refuse("%s%s", because(why), err)
	}
	h := &handOver{why: why, settings: map[string]string{}, parameters: map[string]string{}}
	for line := range strings.Lines(out) {
		h.read(line)
	}
	s := h.settings
	switch {
	case s["adapter"] == "":
		return refuse("%smix did not say what the settings of %s are", because(why), e.Repo)
	case s["adapter"] != "Ecto.Adapters.Postgres":
		return refuse("%s is a repo of %s, not of PostgreSQL", e.Repo, s["adapter"])
	case s["endpoints"] != "":
		return refuse("%s has several endpoints, and which of them mix would take is not known", e.Repo)
	case s["migration_repo"] != "" && s["migration_repo"] != e.Repo:
		return refuse("%s keeps its versions in the repo %s", e.Repo, s["migration_repo"])
	case s["search_path"] != "" && h.parameters["search_path"] == "":
		return refuse("%s has a search_path of its own, which ddlsp knows only among the parameters", e.Repo)
	case s["after_connect"] != "" && r.target.first == "":
		return refuse("the sessions of %s begin with an after_connect that ddlsp does not understand, so that it cannot look where mix would", e.Repo)
	}
	if err := h.same(r.target); err != nil {
		return refuse("%s%s", because(why), err)
	}
	if source := s["migration_source"]; source != "" {
		e.Source = strings.TrimPrefix(source, ":")
	}
	for name, v := range h.parameters {
		if r.target.config.RuntimeParams[name] == "" {
			r.target.config.RuntimeParams[name] = v
		}
	}
	r.handOver = h
	return nil
}

// because begins a refusal with the reason for which mix was asked.
func because(why string) string {
	if why == "" {
		return ""
	}
	return why + ", and mix cannot run it: "
}

// read reads one line of the answer.
func (h *handOver) read(line string) {
	f := strings.Fields(line)
	if len(f) != 3 || f[0] != mark {
		return
	}
	value, err := base64.StdEncoding.DecodeString(f[2])
	if err != nil {
		return
	}
	if name, ok := strings.CutPrefix(f[1], ":"); ok {
		h.parameters[name] = string(value)
		return
	}
	h.settings[f[1]] = string(value)
}

// same is an error when mix would connect to another database than t, by
// Postgrex's own defaults for what is not set.
func (h *handOver) same(t *Target) error {
	or := func(values ...string) string {
		for _, v := range values {
			if v != "" {
				return v
			}
		}
		return ""
	}
	s := h.settings
	host := or(s["hostname"], os.Getenv("PGHOST"), "localhost")
	port := or(s["port"], os.Getenv("PGPORT"), "5432")
	switch {
	case s["socket"] != "":
		host, port = splitSocket(s["socket"])
	case s["socket_dir"] != "":
		host = s["socket_dir"]
	}
	database := or(s["database"], os.Getenv("PGDATABASE"))
	user := or(s["username"], os.Getenv("PGUSER"), os.Getenv("USER"))
	theirs := user + "@" + net.JoinHostPort(host, port) + "/" + database
	c := t.config
	if database != c.Database || port != strconv.Itoa(int(c.Port)) || !sameHost(host, c.Host) || user != c.User {
		return fmt.Errorf("mix would run the migrations on %s, and the database chosen here is %s (from %s): configure the repo for it, or choose the other", theirs, t, t.Source)
	}
	return nil
}

// splitSocket takes a socket's path, DIR/.s.PGSQL.PORT, apart.
func splitSocket(path string) (dir, port string) {
	dir, port, ok := strings.Cut(path, "/.s.PGSQL.")
	if !ok {
		return path, ""
	}
	return dir, port
}

// sameHost reports whether two names of a host surely lead to the same.
func sameHost(a, b string) bool {
	a, b = strings.TrimSuffix(strings.ToLower(a), "."), strings.TrimSuffix(strings.ToLower(b), ".")
	return a == b || loopback(a) && loopback(b)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// arguments are those of the mix task that does a request.
func (r *Runner) arguments(d Direction, req Request) []string {
	e := r.opts.Ecto
	args := []string{"ecto.migrate", "-r", e.Repo}
	if d == Down {
		args[0] = "ecto.rollback"
	}
	switch {
	case req.All:
		args = append(args, "--all")
	case req.To != "":
		args = append(args, "--to", bare(req.To))
	case req.ToExclusive != "":
		args = append(args, "--to-exclusive", bare(req.ToExclusive))
	case req.Step > 0:
		args = append(args, "--step", strconv.Itoa(req.Step))
	case d == Up:
		args = append(args, "--all")
	default:
		args = append(args, "--step", "1")
	}
	if req.Prefix != "" {
		args = append(args, "--prefix", req.Prefix)
	}
	for _, d := range e.Dirs {
		args = append(args, "--migrations-path", d)
	}
	return args
}

// planByMix refuses what mix cannot do for this plan, and notes who runs it.
func (r *Runner) planByMix(c *choice, s *state, req Request) error {
	if len(c.steps) == 0 {
		return nil
	}
	if req.Direction == Redo {
		// Going up again by version must take these versions and no others.
		up := c.steps[len(c.steps)-1].Migration.Version
		for _, m := range r.history {
			again := slices.ContainsFunc(c.steps, func(s Step) bool { return s.Migration.Version == m.Version })
			if m.Version != "" && !again && compareVersions(m.Version, up) < 0 && !s.applied(m.Version) {
				return refusef("mix would also run %s, which is pending and older. Nothing was changed. Migrate first", label(m))
			}
		}
	}
	note := r.tool.command(req) + " runs this"
	if r.handOver.why != "" {
		note += ": " + r.handOver.why
	}
	c.notes = append(c.notes, note)
	return nil
}

// lastError is what Elixir's output says went wrong: the text after its last
// "** (...)", or what the compiler says, without the stack.
func lastError(output string) string {
	if strings.Contains(output, "Could not find Hex") {
		return "it needs Hex to see the project's dependencies, which is not installed (mix local.hex)"
	}
	var out []string
	sc := bufio.NewScanner(strings.NewReader(output))
	sc.Buffer(nil, 1<<20)
	in := false
	for sc.Scan() {
		line := strings.TrimRight(sc.Text(), " \r")
		switch {
		case strings.HasPrefix(line, "** ("), strings.HasPrefix(line, "== Compilation error"), strings.HasPrefix(line, "error: "):
			if strings.HasPrefix(line, "** (") && len(out) > 0 && strings.HasPrefix(out[0], "== Compilation") {
				out = append(out, line) // its first line says only the file
			} else {
				out = []string{line}
			}
			in = true
		case in && (stackLine.MatchString(line) || len(out) > 12):
			in = false
		case in && line != "":
			out = append(out, strings.TrimSpace(line))
		}
	}
	text := strings.Join(out, " ")
	if text == "" {
		lines := strings.FieldsFunc(output, func(r rune) bool { return r == '\n' })
		text = strings.Join(lines[max(0, len(lines)-3):], " ")
	}
	if r := []rune(text); len(r) > 1000 {
		text = string(r[:1000]) + " ..."
	}
	return strings.TrimSpace(text)
}
