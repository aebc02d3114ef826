package workshop

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	pages "lambdakappa/docs/workshop"
)

// A Kind is what is done in an exercise.
type Kind string

// The kinds.
const (
	Observation  Kind = "observation"
	TaskInLambda Kind = "code task in lambda/"
	TaskInKappa  Kind = "code task in kappa/"
)

// An Exercise is what a page says.
type Exercise struct {
	Number  int
	Page    string // its file, in docs/workshop
	Title   string
	Slides  []int
	Minutes int
	Short   bool // of the 90-minute path, not only of the half-day one
	Kind    Kind

	Question string
	// Command are the arguments of the program that the exercise runs.
	Command []string
	// Prediction is what to write down before, as the page has it.
	Prediction string
	// Why is what happened and why; Solution answers the prediction, or says what to change.
	Why, Solution string

	Expect []Expectation // in the order of the page; none for a code task, whose run has to be right
	Task   string        // of a code task: the name of its files in docs/workshop/tasks
}

// Side is the folder that a code task is about; "" for an observation.
func (e *Exercise) Side() string {
	side, _ := strings.CutPrefix(string(e.Kind), "code task in ")
	if e.Kind == Observation {
		return ""
	}
	return strings.TrimSuffix(side, "/")
}

// Sections are the headings of every page, in their order.
var Sections = []string{
	"Question", "Prediction", "Command", "What to look at", "On the live page", "What happened, and why", "Solution",
}

var (
	pageName  = regexp.MustCompile(`^(\d\d)-[a-z-]+\.md$`)
	titleLine = regexp.MustCompile(`^# (\d+) · (.+)$`)
	aboutLine = regexp.MustCompile(`^Slides? ([\d, ]+) · (\d+) minutes · ([^·]+?)( · 90-minute path)?$`)
	comment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	folding   = regexp.MustCompile(`(?m)^</?details>.*\n?|<summary>.*</summary>\n?`)
)

// Exercises returns all exercises, by their numbers.
func Exercises() ([]*Exercise, error) { return readPages(pages.Files) }

func readPages(files fs.FS) ([]*Exercise, error) {
	names, err := fs.Glob(files, "*.md")
	if err != nil {
		return nil, err
	}
	var all []*Exercise
	for _, name := range names {
		if !pageName.MatchString(name) {
			continue // README, and the facilitator's
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("read page: %w", err)
		}
		e, err := parsePage(name, string(text))
		if err != nil {
			return nil, fmt.Errorf("read page %s: %w", name, err)
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *Exercise) int { return a.Number - b.Number })
	for i, e := range all {
		if e.Number != i+1 {
			return nil, fmt.Errorf("read page %s: number %d where %d is next", e.Page, e.Number, i+1)
		}
	}
	return all, nil
}

// Named returns the exercise of a number, as people type it.
func Named(number string) (*Exercise, error) {
	all, err := Exercises()
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > len(all) {
		return nil, fmt.Errorf("exercise %q: takes a number from 1 to %d, see 'workshop list'", number, len(all))
	}
	return all[n-1], nil
}

func parsePage(name, text string) (*Exercise, error) {
	text = strings.ReplaceAll(text, "\r\n", "\n") // embedded from a checkout on Windows
	e := &Exercise{Page: name}
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 {
		return nil, fmt.Errorf("takes a title, a line about it, and sections")
	}
	if err := e.parseHead(lines[0], lines[2]); err != nil {
		return nil, err
	}
	sections, err := cutSections(lines[3])
	if err != nil {
		return nil, err
	}
	said := func(section string) string { return plain(sections[section]) }
	e.Question, e.Prediction = said("Question"), said("Prediction")
	e.Why, e.Solution = said("What happened, and why"), said("Solution")
	if e.Command, err = commandOf(sections["Command"]); err != nil {
		return nil, err
	}
	if e.Expect, err = expectations(lines[3]); err != nil {
		return nil, err
	}
	return e, e.parseTask(sections["Command"])
}

// parseHead reads the two lines at the top of a page.
func (e *Exercise) parseHead(title, about string) error {
	found := titleLine.FindStringSubmatch(title)
	if found == nil {
		return fmt.Errorf("begins with %q: takes '# NUMBER · TITLE'", title)
	}
	e.Number, _ = strconv.Atoi(found[1])
	e.Title = found[2]
	if e.Page[:2] != fmt.Sprintf("%02d", e.Number) {
		return fmt.Errorf("its title has number %d", e.Number)
	}
	found = aboutLine.FindStringSubmatch(about)
	if found == nil {
		return fmt.Errorf("third line %q: takes 'Slides 1, 2 · 8 minutes · KIND', and ' · 90-minute path'", about)
	}
	for _, slide := range strings.Split(found[1], ",") {
		n, err := strconv.Atoi(strings.TrimSpace(slide))
		if err != nil {
			return fmt.Errorf("slide %q: takes a number", slide)
		}
		e.Slides = append(e.Slides, n)
	}
	e.Minutes, _ = strconv.Atoi(found[2])
	e.Kind, e.Short = Kind(found[3]), found[4] != ""
	if !slices.Contains([]Kind{Observation, TaskInLambda, TaskInKappa}, e.Kind) {
		return fmt.Errorf("%q is none of %q, %q, %q", e.Kind, Observation, TaskInLambda, TaskInKappa)
	}
	return nil
}

// cutSections cuts a page at its headings, which must be all that every page has, in their order.
func cutSections(text string) (map[string]string, error) {
	sections := map[string]string{}
	var order []string
	for _, part := range strings.Split("\n"+text, "\n## ")[1:] {
		heading, body, _ := strings.Cut(part, "\n")
		order = append(order, heading)
		sections[heading] = body
	}
	if !slices.Equal(order, Sections) {
		return nil, fmt.Errorf("its headings are %q: takes %q", order, Sections)
	}
	return sections, nil
}

// plain is a section as it is printed: without the rules, and unfolded.
func plain(section string) string {
	section = comment.ReplaceAllString(section, "")
	section = folding.ReplaceAllString(section, "")
	var lines []string
	for line := range strings.SplitSeq(section, "\n") {
		line = strings.TrimRight(line, " ")
		if line != "" || len(lines) > 0 && lines[len(lines)-1] != "" {
			lines = append(lines, line)
		}
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// commandOf are the arguments behind the program's name in the first line of a section that runs the benchmark.
func commandOf(section string) ([]string, error) {
	for line := range strings.SplitSeq(section, "\n") {
		if command := strings.Fields(line); len(command) > 1 && strings.HasPrefix(line, program+" bench ") {
			return command[1:], nil
		}
	}
	return nil, fmt.Errorf("section Command: has no line '%s bench …'", program)
}

// program is how pages name the program, indented.
const program = "    bin/lambdakappa"

// taskMark names the files of a code task, in the section Command.
var taskMark = regexp.MustCompile(`<!-- task: ([a-z-]+) -->`)

func (e *Exercise) parseTask(section string) error {
	found := taskMark.FindStringSubmatch(section)
	switch isTask := e.Kind != Observation; {
	case isTask && found == nil:
		return fmt.Errorf("section Command: a code task takes a comment 'task: NAME'")
	case !isTask && found != nil:
		return fmt.Errorf("section Command: an observation has no task")
	case !isTask && len(e.Expect) == 0:
		return fmt.Errorf("nothing is expected of its run")
	case isTask && len(e.Expect) > 0:
		return fmt.Errorf("a code task expects a run that is right, and nothing else")
	case isTask:
		e.Task = found[1]
	}
	return nil
}
