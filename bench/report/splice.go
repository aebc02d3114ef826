package report

import (
	"bytes"
	"fmt"
	"os"

	"lambdakappa/bench/result"
)

// The markers between which Splice writes.
const (
	spliceBegin = "<!-- results -->"
	spliceEnd   = "<!-- /results -->"
)

// Splice replaces what stands between the markers `<!-- results -->` and `<!-- /results -->` in
// the file by the opening of the report, so that figures in a README are never typed. The rest of
// the file stays as it is, byte by byte.
func Splice(file string, s *result.Summary) error {
	before, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("splice results: %w", err)
	}
	after, err := splice(before, newPage(alone(s), nil))
	if err != nil {
		return fmt.Errorf("splice results into %s: %w", file, err)
	}
	if err := os.WriteFile(file, after, 0o644); err != nil {
		return fmt.Errorf("splice results: %w", err)
	}
	return nil
}

func splice(file []byte, p *page) ([]byte, error) {
	if bytes.Count(file, []byte(spliceBegin)) != 1 || bytes.Count(file, []byte(spliceEnd)) != 1 {
		return nil, fmt.Errorf("want one %s and one %s", spliceBegin, spliceEnd)
	}
	head, rest, _ := bytes.Cut(file, []byte(spliceBegin))
	_, tail, below := bytes.Cut(rest, []byte(spliceEnd))
	if !below {
		return nil, fmt.Errorf("%s stands above %s", spliceEnd, spliceBegin)
	}
	var b bytes.Buffer
	b.Write(head)
	fmt.Fprintf(&b, "%s\n\n", spliceBegin)
	spliced(&b, p)
	b.WriteString(spliceEnd)
	b.Write(tail)
	return b.Bytes(), nil
}

// spliced is the opening of the report and the command that made it.
func spliced(b *bytes.Buffer, p *page) {
	fmt.Fprintf(b, "%s\n\nMade by:\n\n    %s\n\n", md(p.Facts), plainText(p.Command))
	markdownBanners(b, p.Alarms)
	p.markdownNeeds(b)
	p.Counts.markdown(b)
	markdownBanners(b, []banner{p.Broker})
	markdownList(b, p.Advice)
	p.Ledger.markdown(b)
	p.Verdicts.markdown(b)
	for _, s := range p.Sections {
		if s.ID == "budgets" {
			s.Tables[0].markdown(b)
		}
	}
}
