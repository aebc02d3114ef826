package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"lambdakappa/bench/result"
)

// summaryFile is what the driver writes into the folder of a run.
const summaryFile = "summary.json"

// Folder is the folder of a run that is named by a path: that one, or, where links cannot be made (Windows), the one beside it
// that the file results/latest names.
func Folder(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > longestName {
		return path
	}
	raw, err := os.ReadFile(path)
	name := strings.TrimSpace(string(raw))
	if err != nil || !filepath.IsLocal(name) || strings.ContainsAny(name, "\r\n") {
		return path
	}
	return filepath.Join(filepath.Dir(path), name)
}

const longestName = 300 // bytes of the name of a run's folder

// Load reads summary.json of the run in [Folder] dir.
func Load(dir string) (*result.Summary, error) {
	dir = Folder(dir)
	raw, err := os.ReadFile(filepath.Join(dir, summaryFile))
	if err != nil {
		return nil, fmt.Errorf("read run: %w", err)
	}
	return Parse(filepath.Join(dir, summaryFile), raw)
}

// Parse reads a summary.json; file is its name in errors.
func Parse(file string, raw []byte) (*result.Summary, error) {
	s := new(result.Summary)
	if err := json.Unmarshal(raw, s); err != nil {
		return nil, fmt.Errorf("parse %s: %w", file, err)
	}
	if s.SchemaVersion != result.SchemaVersion {
		return nil, fmt.Errorf("parse %s: schema version %d, this program reads %d",
			file, s.SchemaVersion, result.SchemaVersion)
	}
	return s, nil
}

// Write writes report.html, report.md and plots/*.svg into dir, which exists. What s has not measured of what a reader's
// own numbers take comes from the reference run, which may be nil. Sources come from [CodeFolder] in dir, where that is.
func Write(dir string, s, reference *result.Summary) error {
	p := newPage(s, reference)
	p.showCode(s.CodeSize, os.DirFS(filepath.Join(dir, CodeFolder)))
	html, err := renderHTML(p, embeddedAssets())
	if err != nil {
		return fmt.Errorf("render report.html: %w", err)
	}
	files := map[string][]byte{
		"report.html": html,
		"report.md":   renderMarkdown(p),
	}
	for _, plot := range p.plots() {
		files[plot.file()] = plot.svgFile()
	}
	for name, content := range files {
		if err := writeFile(filepath.Join(dir, name), content); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	return nil
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o644)
}
