package register

import (
	"fmt"
	"io"
	"strings"
)

// Print writes a plan for people.
func (p Plan) Print(w io.Writer) error {
	var b strings.Builder
	for _, change := range p.Changes {
		b.WriteString(sign[change.Op] + " " + change.String() + "\n")
	}
	if len(p.ByHand) > 0 {
		b.WriteString("\nBy hand:\n")
	}
	for _, one := range p.ByHand {
		one.print(&b)
	}
	if len(p.Notes) > 0 {
		b.WriteString("\n")
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	if len(p.Changes) == 0 {
		b.WriteString("Nothing to change. Secrets cannot be compared: if one was replaced, use --send-secrets.\n")
	} else {
		fmt.Fprintf(&b, "\n%s.\n", p.count())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (one ByHand) print(b *strings.Builder) {
	fmt.Fprintf(b, "! %s %s", one.What, one.Name)
	if one.PIM != "" {
		fmt.Fprintf(b, " (%s)", one.PIM)
	}
	fmt.Fprintf(b, ": %s\n", one.Why)
	if one.URL != "" {
		fmt.Fprintf(b, "    at %s\n", one.URL)
	}
	for _, step := range one.Steps {
		fmt.Fprintf(b, "    - %s\n", step)
	}
}

var sign = map[string]string{Create: "+", Update: "~", Delete: "-"}

func (p Plan) count() string {
	counts := map[string]int{}
	for _, change := range p.Changes {
		counts[change.Op]++
	}
	return fmt.Sprintf("%d to create, %d to change, %d to delete", counts[Create], counts[Update], counts[Delete])
}

// Line is the change on one line.
func (c Change) Line() string {
	line, _, _ := strings.Cut(c.String(), "\n")
	return sign[c.Op] + " " + line
}

// Paths are where extensions.yaml may declare what a change is about; none where it does not. What the file declares for
// several PIMs at once has another name there.
func (c Change) Paths() [][]string {
	switch section := map[string]string{AnExtension: "extensions", ASubscription: "subscriptions"}[c.What]; {
	case c.What == ASubscriber:
		return [][]string{{"pims", c.PIM, "technical_email"}}
	case c.What == AnAppAction && c.declared != "":
		return [][]string{{"contentful", "actions", c.declared}}
	case section != "" && c.declared != "":
		return [][]string{{section, c.declared}, {section, strings.TrimSuffix(c.declared, "_"+c.PIM)}}
	}
	return nil
}

// Key is the key of an extension in extensions.yaml that a property of the PIM's API comes from; "" if none does.
func Key(property string) string {
	property = strings.TrimPrefix(property, "configuration.")
	switch first, _, _ := strings.Cut(strings.NewReplacer("[", ".").Replace(property), "."); first {
	case "default_label", "labels":
		return "label"
	case "position":
		return "positions"
	case "type", "url", "version", "description", "status", "userEmails":
		return first
	}
	return ""
}
