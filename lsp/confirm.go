package lsp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"go.lsp.dev/protocol"

	"github.com/ddlsp/ddlsp/runner"
)

// answerTime is how long a question to the user may stay unanswered.
const answerTime = 5 * time.Minute

// ask has the client ask the user. Nothing but the exact yes is one.
func (s *Server) ask(ctx context.Context, op string, a runArgs, plan *runner.Report) error {
	where := plan.Database + " on " + plan.Host
	yes := map[string]string{"migrate": "Migrate ", "rollback": "Roll back ", "redo": "Redo on "}[op] + plan.Database
	refusal := func(why string) error {
		return fmt.Errorf("%s. Nothing was sent to %s. From a terminal: %s", why, where, cliCommand(op, a, plan))
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	kind := protocol.MessageTypeInfo
	if op != "migrate" || len(plan.Drops) > 0 || plan.Protected {
		kind = protocol.MessageTypeWarning
	}
	answer, err := s.client.ShowMessageRequest(ctx, &protocol.ShowMessageRequestParams{
		Type: kind, Message: question(op, plan),
		Actions: []protocol.MessageActionItem{{Title: yes}, {Title: "Cancel"}},
	})
	switch {
	case ctx.Err() != nil:
		return refusal("The question was not answered")
	case err != nil:
		err := refusal("The editor cannot ask for confirmation")
		s.say(protocol.MessageTypeWarning, err.Error())
		return err
	case answer == nil || answer.Title != yes:
		return refusal("Not confirmed")
	}
	return nil
}

// question says what would happen, and where.
func question(op string, plan *runner.Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s on %s?", map[string]string{
		"migrate": "Apply " + count(len(plan.Migrations)) + " to", "rollback": "Roll back " + count(len(plan.Migrations)) + " of", "redo": "Roll back and apply again on",
	}[op], plan.Database, plan.Host)
	for _, m := range plan.Migrations {
		fmt.Fprintf(&b, "\n%s %s %s", m.Direction, m.Version, m.Name)
	}
	if len(plan.Drops) > 0 {
		drops := plan.Drops
		if len(plan.Losses) > 0 {
			drops = nil
			for _, l := range plan.Losses {
				drops = append(drops, l.String())
			}
		}
		fmt.Fprintf(&b, "\nThis drops %s.", strings.Join(drops, ", "))
	}
	for _, n := range plan.Notes {
		b.WriteString("\n" + n)
	}
	return b.String()
}

func count(migrations int) string {
	if migrations == 1 {
		return "1 migration"
	}
	return fmt.Sprintf("%d migrations", migrations)
}

// cliCommand is the same run for a terminal, where everybody can be asked.
func cliCommand(op string, a runArgs, plan *runner.Report) string {
	words := []string{"ddlsp", op}
	add := func(flag, value string) {
		if value != "" {
			words = append(words, flag, value)
		}
	}
	add("--to", a.To)
	add("--to-exclusive", a.ToExclusive)
	if a.Step > 0 {
		add("--step", fmt.Sprint(a.Step))
	}
	if a.All {
		words = append(words, "--all")
	}
	add("--prefix", a.Prefix)
	add("--database", plan.Name)
	return strings.Join(words, " ")
}
