package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"lambdakappa/bench/result"
)

// beside the summary, and kept with it as they are.
var kept = []string{"samples.txt", "command.txt", "machine.json"}

// WriteReference writes into dir, which exists, what is kept of the run in from when it becomes the
// reference run: every figure and every verdict, and what they were taken from. The lines over time and
// the spectra behind plots are left out, which are nine tenths of a summary, and so are the plots of them; report.md has the others
// beside it.
func WriteReference(dir, from string, s *result.Summary) error {
	small := withoutLines(alone(s))
	raw, err := json.MarshalIndent(small, "", " ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", summaryFile, err)
	}
	p := newPage(small, nil)
	files := map[string][]byte{
		summaryFile: append(raw, '\n'),
		"report.md": renderMarkdown(p),
	}
	for _, plot := range p.plots() {
		files[plot.file()] = plot.svgFile()
	}
	for _, name := range kept {
		if files[name], err = os.ReadFile(filepath.Join(from, name)); err != nil {
			return fmt.Errorf("keep as reference: %w", err)
		}
	}
	for name, content := range files {
		if err := writeFile(filepath.Join(dir, name), content); err != nil {
			return fmt.Errorf("keep as reference: %w", err)
		}
	}
	return nil
}

// alone is the summary without what an earlier reference run says: who becomes the reference is held against none. It shares the
// rest.
func alone(s *result.Summary) *result.Summary {
	one := *s
	one.Scenarios = slices.Clone(s.Scenarios)
	for i := range one.Scenarios {
		one.Scenarios[i].Reference = nil
	}
	return &one
}

// withoutLines is the summary without what only plots over time and spectra show. It shares the rest.
func withoutLines(s *result.Summary) *result.Summary {
	small := *s
	small.Runs = make([]result.Run, len(s.Runs))
	for i, r := range s.Runs {
		r.Series = nil
		r.LatencyMs = withoutSpectra(r.LatencyMs)
		small.Runs[i] = r
	}
	return &small
}

func withoutSpectra(l *result.Latencies) *result.Latencies {
	if l == nil {
		return nil
	}
	small := *l
	small.Visible.Spectrum, small.Query.Spectrum = nil, nil
	if l.Alert != nil {
		alert := *l.Alert
		alert.Spectrum = nil
		small.Alert = &alert
	}
	return &small
}
