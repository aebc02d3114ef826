package workshop

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// A prediction is a file in which somebody writes down what an exercise will show: workshop/NN-prediction.md in the
// folder in which they work. Its first line says when the exercise was begun, so that a check takes no older results.

// PredictionFile is where the prediction of an exercise is written down.
func PredictionFile(dir string, e *Exercise) string {
	return filepath.Join(dir, "workshop", fmt.Sprintf("%02d-prediction.md", e.Number))
}

// stamp is how results folders say when they were begun.
const stamp = "20060102T150405Z"

// BeginPrediction writes an empty prediction, and keeps the one that is there under another name, which it returns.
func BeginPrediction(dir string, e *Exercise, now time.Time) (kept string, err error) {
	name := PredictionFile(dir, e)
	if kept, err = keepPrediction(name); err != nil {
		return "", fmt.Errorf("keep prediction: %w", err)
	}
	text := fmt.Sprintf("<!-- begun %s -->\n# %d · %s\n\n%s\n\n## My prediction\n\n",
		now.UTC().Format(stamp), e.Number, e.Title, e.Prediction)
	if err := writeWhole(name, []byte(text)); err != nil {
		return "", fmt.Errorf("begin prediction: %w", err)
	}
	return kept, nil
}

// keepPrediction renames a prediction in which something was written.
func keepPrediction(name string) (string, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !isWritten(string(text)) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s-%d.md", strings.TrimSuffix(name, ".md"), n)
		if _, err := os.Stat(aside); errors.Is(err, fs.ErrNotExist) {
			return aside, os.Rename(name, aside)
		}
	}
}

func isWritten(text string) bool {
	_, mine, ok := strings.Cut(text, "## My prediction")
	return !ok || strings.TrimSpace(mine) != ""
}

var begunLine = regexp.MustCompile(`^<!-- begun (\d{8}T\d{6}Z) -->`)

// BegunAt returns when an exercise was begun in a folder, as results folders say it, and whether a prediction was
// written down since; "" when it was not begun there.
func BegunAt(dir string, e *Exercise) (at string, written bool) {
	text, err := os.ReadFile(PredictionFile(dir, e))
	if err != nil {
		return "", false
	}
	found := begunLine.FindStringSubmatch(string(text))
	if found == nil {
		return "", true // somebody's own
	}
	return found[1], isWritten(string(text))
}
