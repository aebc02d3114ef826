package workshop

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"

	pages "lambdakappa/docs/workshop"
)

// An edit takes a piece of a source file out and puts another one in its place. A file of edits has any number of
// them, with remarks between:
//
//	=== lambda/batch.go
//	<<<
//	the lines as they are
//	---
//	the lines as the task begins
//	>>>
type edit struct {
	file          string // by its path in the checkout, with slashes
	whole, begins string // whole lines
}

// editsOf are the edits of a code task.
func editsOf(e *Exercise) ([]edit, error) {
	name := "tasks/" + e.Task + ".edits"
	text, err := pages.Files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read edits: %w", err)
	}
	all, err := parseEdits(string(text))
	if err != nil {
		return nil, fmt.Errorf("read edits %s: %w", name, err)
	}
	return all, nil
}

func parseEdits(text string) ([]edit, error) {
	var all []edit
	var file string
	var e *edit
	const outside, inWhole, inBegins = 0, 1, 2
	at := outside
	for i, line := range strings.SplitAfter(strings.ReplaceAll(text, "\r\n", "\n"), "\n") {
		name, isFile := strings.CutPrefix(line, "=== ")
		mark := strings.TrimSuffix(line, "\n")
		switch {
		case at == outside && isFile:
			file = strings.TrimSpace(name)
		case at == outside && mark == "<<<":
			if file == "" {
				return nil, fmt.Errorf("line %d: an edit of no file", i+1)
			}
			e, at = &edit{file: file}, inWhole
		case at == inWhole && mark == "---":
			at = inBegins
		case at == inBegins && mark == ">>>":
			if e.whole == "" {
				return nil, fmt.Errorf("line %d: takes nothing out: repeat a line in both parts", i+1)
			}
			all, at = append(all, *e), outside
		case at == inWhole:
			e.whole += line
		case at == inBegins:
			e.begins += line
		}
	}
	if at != outside || len(all) == 0 {
		return nil, fmt.Errorf("its last edit does not end, or there is none")
	}
	return all, nil
}

// files are the files that edits change, each once, in their order.
func files(edits []edit) []string {
	var all []string
	for _, e := range edits {
		if len(all) == 0 || all[len(all)-1] != e.file {
			all = append(all, e.file)
		}
	}
	return all
}

// begin is the text of a file as the task begins. Line ends stay as they are.
func begin(source []byte, file string, edits []edit) ([]byte, error) {
	text, windows := unixed(source)
	for _, e := range edits {
		if e.file != file {
			continue
		}
		before, after, ok := cutLines(text, e.whole)
		if !ok {
			return nil, fmt.Errorf("%s: what the task takes out is not there exactly once:\n%s", file, e.whole)
		}
		text = before + e.begins + after
	}
	if windows {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return []byte(text), nil
}

// cutLines cuts a text around whole lines, false when they are not in it exactly once.
func cutLines(text, lines string) (before, after string, ok bool) {
	at := 0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(text[at:], lines) {
			if ok {
				return "", "", false
			}
			before, after, ok = text[:at], text[at+len(lines):], true
		}
		at += len(line)
	}
	return before, after, ok
}

// unixed is a text with the line ends that it is compared with, and whether it had those of Windows.
func unixed(source []byte) (text string, windows bool) {
	windows = bytes.Contains(source, []byte("\r\n"))
	return strings.ReplaceAll(string(source), "\r\n", "\n"), windows
}

// sumsFile holds the hash of every file that a task changes, of the text with line ends of Unix, in the format of
// sha256sum. A test holds it against the source.
const sumsFile = "tasks/sources.sha256"

// hashOf is the hash of a source, whatever its line ends.
func hashOf(source []byte) string {
	text, _ := unixed(source)
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// knownSums are the hashes of the files that edits were written for.
func knownSums(from fs.FS) (map[string]string, error) {
	text, err := fs.ReadFile(from, sumsFile)
	if err != nil {
		return nil, fmt.Errorf("read hashes: %w", err)
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, file, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			return nil, fmt.Errorf("read hashes: %q is no hash and file", line)
		}
		sums[file] = sum
	}
	return sums, nil
}
