package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ddlsp/ddlsp/internal/workspace"
	"github.com/ddlsp/ddlsp/runner"
)

func newDoctor(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Show what was detected, and why",
		Long:  "doctor shows the projects that were found and what spoke for them, the database that\nwould be used and where its address comes from, the server, and what is wrong. It only reads.",
		Args:  exactArgs(0, "no arguments"),
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context()) },
	}
}

func (a *app) doctor(ctx context.Context) error {
	session, err := a.session()
	if err != nil {
		return err
	}
	snap := session.Snapshot()
	projects, projectsErr := snap.Projects(ctx)
	healthy := projectsErr == nil
	err = buffered(a.out, func(w io.Writer) error {
		st := a.style(a.out)
		fmt.Fprintf(w, "ddlsp %s (%s %s/%s)\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		fmt.Fprintf(w, "looked below %s\n", a.dir)
		if projectsErr != nil {
			d := doctorLine{w, st}
			d.problem("configuration", projectsErr)
		}
		if len(projects) == 0 {
			fmt.Fprintln(w, "\nno migrations found: no tool's configuration file, directory or naming was recognised")
			fmt.Fprintln(w, "name their directory with --migrations, or in ddlsp.toml: migrations = [\"path\"]")
		}
		for _, p := range projects {
			if !a.examine(ctx, doctorLine{w, st}, p) {
				healthy = false
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !healthy || len(projects) == 0 {
		return &exitError{Code: exitUsage}
	}
	return nil
}

// A doctorLine writes facts and problems under one another.
type doctorLine struct {
	w  io.Writer
	st style
}

func (d doctorLine) fact(name, format string, args ...any) {
	text := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "\n              ")
	fmt.Fprintf(d.w, "  %-11s %s\n", name, text)
}

func (d doctorLine) problem(name string, err error) {
	d.fact(name, "%s %v", d.st.help("problem:"), err)
}

// examine shows one project and reports whether all is well with it.
func (a *app) examine(ctx context.Context, d doctorLine, p *workspace.Project) bool {
	fmt.Fprintf(d.w, "\n%s\n", d.st.bold("project "+a.display(p.Root)))
	d.fact("format", "%s, because of %s", p.Format, strings.Join(p.Evidence, "; "))
	if p.Foreign != "" {
		d.fact("left alone", "%s", p.Foreign)
		return true
	}
	if p.Repo != nil {
		d.fact("repo", "%s", p.Repo.Name)
	}
	if path := p.Config.Path; path != "" {
		d.fact("config", "%s", a.display(path))
	} else {
		d.fact("config", "none; the defaults hold (`ddlsp init` writes one)")
	}
	history := p.History(ctx)
	dirs := make([]string, len(p.Dirs))
	for i, dir := range p.Dirs {
		dirs[i] = a.display(dir)
	}
	d.fact("migrations", "%s in %s", plural(len(history), "migration"), strings.Join(dirs, ", "))
	ok := true
	var own []string
	for _, m := range history {
		if m.Beam != "" {
			own = append(own, fmt.Sprintf("%s %s: %s", m.Version, m.Name, m.Beam))
		}
	}
	if len(own) > 0 {
		const shown = 5
		rest := ""
		if len(own) > shown {
			rest = fmt.Sprintf("\nand %d more", len(own)-shown)
			own = own[:shown]
		}
		d.fact("needs its own tool", "%s%s", strings.Join(own, "\n"), rest)
	}
	if dir := p.TemplatesDir(); dir != "" {
		all, problems := p.Templates()
		n := 0
		for _, t := range all {
			if t.Path != "" {
				n++
			}
		}
		d.fact("templates", "%s of its own in %s", plural(n, "template"), a.display(dir))
		for _, e := range problems {
			d.problem("template", fmt.Errorf("%s:%d: %s", a.display(e.Path), e.Line, e.Message))
			ok = false
		}
	}
	switch sizes, err := p.Sizes(); {
	case err != nil:
		d.problem("sizes", err)
		ok = false
	case sizes != nil:
		d.fact("sizes", "%s in %s, read from %s on %s", plural(len(sizes.Tables), "table"), a.display(p.SizesPath()), sizes.Database, sizes.ReadAt.Format(time.DateOnly))
	}
	target, err := a.resolve(ctx, p)
	if err != nil {
		d.problem("database", err)
		return false
	}
	defer target.Close()
	protected := ""
	if target.Protected {
		protected = ", protected"
	}
	d.fact("database", "%s, from %s%s", target, target.Source, protected)
	info, err := target.Inspect(ctx)
	if err != nil {
		d.problem("server", err)
		return false
	}
	d.fact("server", "%s", serverText(info))
	if want := p.Settings.PostgresVersion; want != 0 && !strings.HasPrefix(info.Version, fmt.Sprint(want)+".") {
		d.problem("version", fmt.Errorf("the configuration says postgres_version = %d, the server is %s; rules use the configuration's", want, info.Version))
		ok = false
	}
	r, err := runner.New(target, history, a.runnerOptions(p))
	if err != nil {
		d.problem("versions", err)
		return false
	}
	s, err := r.Status(ctx, "")
	if err != nil {
		d.problem("versions", err)
		return false
	}
	if !s.Present {
		d.fact("versions", "%s does not exist yet: nothing is applied, %d pending", s.Table, s.Pending())
	} else {
		d.fact("versions", "%s: %d applied, %d pending", s.Table, len(s.Migrations)-s.Pending(), s.Pending())
	}
	if s.Dirty() {
		d.problem("versions", fmt.Errorf("the version table is dirty: a run failed; `ddlsp status` shows where"))
		ok = false
	}
	return ok
}

func serverText(info *runner.ServerInfo) string {
	text := "PostgreSQL " + info.Version
	if info.Timescale != "" {
		edition := "Community edition"
		if info.License == "apache" {
			edition = "Apache 2 edition: no compression, continuous aggregates or policies"
		}
		text += ", TimescaleDB " + info.Timescale + " (" + edition + ")"
	}
	if info.Replica {
		text += ", a read-only replica"
	}
	return text
}
