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
	b.WriteString("## What this does not show\n\n")
	markdownList(&b, p.Caution)
	fmt.Fprintf(&b, "## Reproduce\n\n    %s\n\n", plainText(p.Command))
	p.Reproduce.markdown(&b)
	return append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
}

// markdownOpening is the first screen of the report.
func markdownOpening(b *bytes.Buffer, p *page) {
	for _, banner := range p.Banners {
		fmt.Fprintf(b, "> **%s**\n\n", md(banner.Text))
	}
	b.WriteString("## What was asked\n\n")
	for _, paragraph := range p.Asked {
		fmt.Fprintf(b, "%s\n\n", paragraph)
	}
	markdownList(b, p.Advice)
	p.Ledger.markdown(b)
	p.Verdicts.markdown(b)
}

func (s *section) markdown(b *bytes.Buffer) {
	fmt.Fprintf(b, "## %s\n\n", md(s.Title))
	if s.About != "" {
		fmt.Fprintf(b, "%s\n\n", md(s.About))
	}
	for _, p := range s.Plots {
		fmt.Fprintf(b, "![%s](%s)\n\n%s\n\n", md(p.Title), p.file(), md(p.About))
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
