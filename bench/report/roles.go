package report

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"strings"

	"lambdakappa/bench/codesize"
	"lambdakappa/bench/result"
)

// CodeFolder is where a run keeps the files that it has counted: _code/lambda/speed.go in its folder. The go command passes
// over a name that begins so: by another, the copies in results/ would be packages of the project.
const CodeFolder = "_code"

// A role is what a file is for, in the words of the table "Who does what" of the README; after a colon, the part of it that
// the files have. A side that has no such file has "", which is a lesson as well.
type role struct{ does, lambda, kappa, lesson string }

var roles = []role{
	{"fold an event into the answer, as it comes", "lambda/speed.go", "kappa/process.go", ""},
	{"fold all history into the answer", "lambda/batch.go", "kappa/replay.go", "Lambda folds columns, so the logic stands here again; " +
		"Kappa starts the same processor once more."},
	{"what it remembers of open windows", "lambda/speedstate.go", "kappa/state.go", ""},
	{"where old and new meet", "lambda/handover.go", "kappa/cutover.go", "Lambda hands over at a log offset, with every batch run; " +
		"Kappa cuts over from one version to the next, when the logic changes."},
	{"updates on their way to serving", "lambda/speedview.go", "kappa/changelog.go", "Kappa's rows are its state as well, so they carry " +
		"the readings that de-duplication has to know."},
	{"answer", "lambda/serving.go", "kappa/serving.go", ""},
	{"answer: merge what two views say", "lambda/merge.go", "", "Kappa answers from one view: there is nothing to merge."},
	{"durable state: begin again after a crash", "", "kappa/restore.go", "Lambda's speed layer builds its view again from the hand-over: " +
		"there is nothing to restore."},
}

// columnsOf are the columns of code in which the files of a side are looked for, in order.
var columnsOf = map[string][]string{"lambda": {"lambda", "lambda-shared"}, "kappa": {"kappa", "kappa-archived"}}

// A pair is a role with the sources of both sides.
type pair struct {
	Role, Lesson string
	Sides        []source
}

// A source is one side of a pair. Numbers stands beside Code: a number for every line that was counted.
type source struct {
	Side, File, Said string
	Numbers          string
	Code             template.HTML
	Missing          string // why there is no code
}

// sizeOf finds what was counted of a file, and by which column.
func sizeOf(sizes map[string]result.CodeSize, file string) (size result.FileSize, column string) {
	for _, column := range columnsOf[path.Dir(file)] {
		for _, f := range sizes[column].PerFile {
			if f.File == file {
				return f, column
			}
		}
	}
	return result.FileSize{}, ""
}

// roleTable holds the sizes of the two files of every role that was counted against each other.
func roleTable(sizes map[string]result.CodeSize) table {
	t := table{Caption: "The same role on both sides: lines with code, statements", Head: []string{"role", "lambda", "kappa"}}
	for _, r := range roles {
		row := []cell{text(r.does)}
		counted := false
		for _, file := range []string{r.lambda, r.kappa} {
			size, column := sizeOf(sizes, file)
			counted = counted || column != ""
			switch {
			case file == "":
				row = append(row, cell{Text: "no such file", Tone: absent})
			case column == "":
				row = append(row, cell{Text: path.Base(file) + " was not counted", Tone: absent})
			default:
				row = append(row, text(path.Base(file)+": "+sizeSaid(size)))
			}
		}
		if counted {
			t.Rows = append(t.Rows, row)
		}
	}
	return t
}

func sizeSaid(f result.FileSize) string {
	return fmt.Sprintf("%s lines, %s statements", figure(float64(f.Lines)), figure(float64(f.Statements)))
}

// pairs puts the sources of every role beside each other. code holds the files that were counted by their names, such as
// lambda/speed.go; a run that has kept none has no pairs.
func pairs(sizes map[string]result.CodeSize, code fs.FS) []pair {
	var all []pair
	for _, r := range roles {
		p := pair{Role: r.does, Lesson: r.lesson, Sides: []source{
			sourceOf(sizes, code, "lambda", r.lambda), sourceOf(sizes, code, "kappa", r.kappa),
		}}
		if p.Sides[0].Code != "" || p.Sides[1].Code != "" {
			all = append(all, p)
		}
	}
	return all
}

// sourceOf shows a file as it was counted, and nothing that was not.
func sourceOf(sizes map[string]result.CodeSize, code fs.FS, side, file string) source {
	s := source{Side: side, File: file}
	if file == "" {
		s.Missing = strings.ToUpper(side[:1]) + side[1:] + " has no file with this role."
		return s
	}
	size, column := sizeOf(sizes, file)
	raw, err := fs.ReadFile(code, file)
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n")) // a checkout on Windows
	if column == "" || err != nil {
		s.Missing = "This run has kept no " + file + "."
		return s
	}
	counted, err := codesize.CountedLines(file, raw, column)
	if err != nil || len(counted) != size.Lines {
		s.Missing = file + " beside this report is not the file that was counted."
		return s
	}
	s.Said, s.Numbers, s.Code = sizeSaid(size), numbered(raw, counted), highlighted(raw)
	return s
}

// numbered writes one line for every line of a source: its number among the counted ones, nothing for the others.
func numbered(raw []byte, counted []int) string {
	var b strings.Builder
	next := 0
	for n := 1; n <= strings.Count(string(raw), "\n"); n++ {
		if next < len(counted) && counted[next] == n {
			next++
			fmt.Fprint(&b, next)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
