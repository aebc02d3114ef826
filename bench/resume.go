package bench

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"lambdakappa/bench/report"
	"lambdakappa/bench/result"
)

// resumed opens the folder of an invocation that did not come to its end and returns what it has
// measured. It must be the same question: profile, seed and revision are those of its summary.
func resumed(o Options) (*folder, *result.Summary, error) {
	path, err := filepath.EvalSymlinks(report.Folder(o.Resume)) // latest may be a link
	if err != nil {
		return nil, nil, fmt.Errorf("resume: %w", err)
	}
	s, err := report.Load(path)
	if err != nil {
		return nil, nil, fmt.Errorf("resume: %w", err)
	}
	if len(filepath.Base(path)) < len(stampFormat) {
		return nil, nil, fmt.Errorf("resume %s: its name does not begin with a time, as those of bench do", path)
	}
	for _, same := range []struct{ name, had, has string }{
		{"profile", s.Profile, o.Profile},
		{"seed", fmt.Sprint(s.Seed), fmt.Sprint(o.Seed)},
		{"revision of the source", s.Revision, revision()},
	} {
		if same.had != same.has {
			return nil, nil, fmt.Errorf("resume %s: its %s is %q, this one's %q; runs of both would not be repetitions",
				path, same.name, same.had, same.has)
		}
	}
	isVoid := func(r result.Run) bool { return r.Void != "" }
	if !s.Interrupted && !slices.ContainsFunc(s.Runs, isVoid) {
		return nil, nil, fmt.Errorf("resume %s: nothing is left to do, it has come to its end", path)
	}
	f := &folder{out: filepath.Dir(path), name: filepath.Base(path), path: path, writeFile: writeFile}
	return f, s, nil
}

// restore takes over what an earlier part of the same invocation has measured.
func (d *driver) restore(s *result.Summary) {
	d.before = s.Seconds
	d.summary = s
	for i := range s.Runs { // names of folders go on
		name, n := numbered(&s.Runs[i])
		if n == 0 { // it has left no views
			n = d.numbers[name] + 1
		}
		d.numbers[name] = max(d.numbers[name], n)
	}
}

// numbered is the name and the number that runName has made for a run: those of its folder of views, where it has left one. Runs of
// several arms on one log share theirs.
func numbered(r *result.Run) (name string, n int) {
	base := filepath.Base(filepath.FromSlash(r.Dir))
	if at := strings.LastIndexByte(base, '-'); at > 0 {
		if n, err := strconv.Atoi(base[at+1:]); err == nil {
			return base[:at], n
		}
	}
	return r.Scenario + "-" + r.Arm, 0
}

// has reports whether every arm's run of that kind is there already, right or wrong: a run that was
// void is tried again.
func (d *driver) has(head result.Run, arms ...string) bool {
	if d.opt.Resume == "" {
		return false
	}
	for _, arm := range arms {
		found := false
		for i := range d.summary.Runs {
			r := &d.summary.Runs[i]
			// A head without a phase is of all of a run's phases, or of the first.
			found = found || r.Scenario == head.Scenario && r.Arm == arm && r.Repetition == head.Repetition &&
				(head.Phase == "" || r.Phase == head.Phase) && r.Void == "" && sameParameter(r.Parameter, head.Parameter)
		}
		if !found {
			return false
		}
	}
	return len(arms) > 0
}

func sameParameter(a, b *result.Parameter) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
