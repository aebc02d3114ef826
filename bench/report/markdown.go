package report

import (
	"bytes"
	"fmt"
	"strings"
)

// renderMarkdown writes the page so that it can be pasted into a decision record, plots as files.
func renderMarkdown(p *page) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", p.Title, md(p.Facts))
	markdownOpening(&b, p)
	for _, s := range p.Sections {
		s.markdown(&b)
	}
	fmt.Fprintf(&b, "## Reproduce\n\n    %s\n\n", plainText(p.Command))
	p.Reproduce.markdown(&b)
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
}

// markdownOpening is the first screen of the report, and the ledger.
func markdownOpening(b *bytes.Buffer, p *page) {
	markdownBanners(b, p.Alarms)
	fmt.Fprintf(b, "%s\n\n", p.Lead)
	if len(p.Needs.Rows) > 0 {
		b.WriteString("## What this run says\n\n")
		p.markdownNeeds(b)
	}
	if p.Numbers != nil {
		p.Numbers.markdown(b)
	}
	b.WriteString("## What the figures stand on\n\n")
	p.Counts.markdown(b)
	markdownList(b, p.Caught)
	markdownBanners(b, []banner{p.Broker})
	b.WriteString("## What this does not show\n\n")
	markdownList(b, p.Caution)
	b.WriteString("## What was asked\n\n")
	for _, paragraph := range p.Asked {
		fmt.Fprintf(b, "%s\n\n", paragraph)
	}
	p.Ledger.markdown(b)
	p.Verdicts.markdown(b)
	markdownList(b, p.Advice)
}

func (p *page) markdownNeeds(b *bytes.Buffer) {
	p.Needs.markdown(b)
	if p.Others != "" {
		fmt.Fprintf(b, "%s\n\n", md(p.Others))
	}
}

func markdownBanners(b *bytes.Buffer, banners []banner) {
	for _, banner := range banners {
		fmt.Fprintf(b, "> **%s**\n\n", md(banner.Text))
	}
}

// markdown has the answer for the numbers that the page's form begins with.
func (n *ownNumbers) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "## For one reader's numbers\n\n%s\n\n", md(n.Source()))
	fmt.Fprintf(b, "%s\n\n", md(n.asked()))
	n.Answer.markdown(b)
	markdownList(b, n.Turns)
	b.WriteString("What this does not say:\n\n")
	markdownList(b, n.Limits)
	b.WriteString("With yours: `lambdakappa decide --help`, or the form in report.html.\n\n")
}

func (s *section) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "## %s\n\n", md(s.Title))
	if s.Question != "" {
		fmt.Fprintf(b, "**%s**\n\n", md(s.Question))
	}
	if s.About != "" {
		fmt.Fprintf(b, "%s\n\n", md(s.About))
	}
	for _, w := range s.Words {
		fmt.Fprintf(b, "**%s.** %s\n\n", w.What, md(w.Says))
	}
	for _, p := range s.Plots {
		fmt.Fprintf(b, "![%s](%s)\n\n%s\n\n", md(p.Title), p.file(), md(p.About))
	}
	if s.Answers.Said != "" {
		answers := s.Answers.Runs
		answers.Caption = s.Answers.Said
		answers.markdown(b)
	}
	for _, t := range s.Tables {
		t.markdown(b)
	}
	markdownList(b, s.Notes)
	for _, p := range s.Plots {
		data := p.Data
		data.Caption = "Values of the plot: " + p.Title
		data.markdown(b)
	}
}

func markdownList(b *bytes.Buffer, items []string) {
	for _, item := range items {
		fmt.Fprintf(b, "- %s\n", md(item))
	}
	if len(items) > 0 {
		b.WriteString("\n")
	}
}

func (t *table) markdown(b *bytes.Buffer) {
	if len(t.Rows) == 0 {
		return
	}
	if t.Caption != "" {
		fmt.Fprintf(b, "**%s**\n\n", md(t.Caption))
	}
	line := func(fields []string) { fmt.Fprintf(b, "| %s |\n", strings.Join(fields, " | ")) }
	var head, rule []string
	for _, h := range t.Head {
		head, rule = append(head, md(h)), append(rule, "---")
	}
	line(head)
	line(rule)
	for _, row := range t.Rows {
		var fields []string
		for _, c := range row {
			fields = append(fields, c.markdown())
		}
		line(fields)
	}
	b.WriteString("\n")
}

func (c cell) markdown() string {
	switch c.Tone {
	case struck:
		return "~~" + md(c.Text) + "~~ VOID"
	case wrong:
		return "**" + md(c.Text) + "**"
	default:
		return md(c.Text)
	}
}

// mdEscaper takes the meaning from everything that Markdown or the HTML within it could act on.
var mdEscaper = strings.NewReplacer(
	`\`, `\\`, `|`, `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "!", `\!`,
)

func md(s string) string { return mdEscaper.Replace(plainText(s)) }
