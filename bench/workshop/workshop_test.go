package workshop

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// whole runs every exercise of the workshop as a learner does, in a copy of the source: minutes.
var whole = flag.Bool("workshop", false, "run every exercise in a copy of the source: make test-workshop")

// A room is a copy of the source without git, in a path with spaces, with the program that was built from it.
type room struct {
	dir    string
	binary string
}

func newRoom(t *testing.T) *room {
	r := &room{dir: filepath.Join(t.TempDir(), "a stick with spaces")}
	copySource(t, root, r.dir)
	r.binary = filepath.Join(r.dir, "bin", "lambdakappa")
	if runtime.GOOS == "windows" {
		r.binary += ".exe"
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", r.binary, "./cmd/lambdakappa")
	build.Dir = r.dir
	said, err := build.CombinedOutput()
	require.NoError(t, err, string(said))
	return r
}

// copySource copies a checkout without what was built, what was measured, and what begins with a dot.
func copySource(t *testing.T, from, to string) {
	require.NoError(t, filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		if d.IsDir() && inside != "." && isNoSource(filepath.ToSlash(inside)) {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			return copyFile(name, filepath.Join(to, inside))
		}
		return nil
	}))
}

func isNoSource(dir string) bool {
	return strings.HasPrefix(dir, ".") || dir == "bin" || dir == "workshop" || ofARun.MatchString(strings.TrimPrefix(dir, "results/"))
}

// do runs the program in the room.
func (r *room) do(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), r.binary, args...)
	c.Dir = r.dir
	var out, says bytes.Buffer
	c.Stdout, c.Stderr = &out, &says
	began := time.Now()
	err := c.Run()
	t.Logf("%5.1f s  %s", time.Since(began).Seconds(), strings.Join(args, " "))
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return c.ProcessState.ExitCode(), out.String(), says.String()
}

// source is every file of the room's source.
func (r *room) source(t *testing.T) map[string]string {
	all := map[string]string{}
	require.NoError(t, filepath.WalkDir(r.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(r.dir, name)
		if err != nil {
			return err
		}
		if d.IsDir() && inside != "." && isNoSource(filepath.ToSlash(inside)) {
			return fs.SkipDir
		}
		if d.Type().IsRegular() {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			all[inside] = string(text)
		}
		return nil
	}))
	delete(all, filepath.Join("results", "latest")) // a file where there are no links
	return all
}

// Ensure that every exercise shows what its page says, and that every code task goes from red to green and back.
func TestWorkshop(t *testing.T) {
	if !*whole {
		t.Skip("runs every exercise: make test-workshop")
	}
	r := newRoom(t)
	all, err := Exercises()
	require.NoError(t, err)
	before := r.source(t)
	for _, e := range all {
		t.Run(fmt.Sprintf("%02d", e.Number), func(t *testing.T) {
			if e.Kind == Observation {
				r.observe(t, e)
			} else {
				r.mend(t, e)
			}
			require.Equal(t, before, r.source(t), "the source is as it was")
		})
	}
}

// observe does an observation exercise: everything on its page holds in the run of its command.
func (r *room) observe(t *testing.T, e *Exercise) {
	number := fmt.Sprint(e.Number)
	code, said, stderr := r.do(t, "workshop", "start", number)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, said, strings.Join(e.Command, " "))
	code, _, stderr = r.do(t, append(e.Command, "--quiet")...)
	require.Equal(t, 0, code, stderr)
	code, said, stderr = r.check(t, e, func(said, stderr string) {
		require.NotContains(t, stderr, "running", "it takes the run that is there")
	})
	require.Equal(t, 0, code, said+stderr)
	require.Equal(t, len(e.Expect), strings.Count(said, "  yes  "), said)
	code, said, stderr = r.do(t, "workshop", "solve", number)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, said, e.Why)
}

// check grades an exercise; once more, as it says, when the machine was too slow for a run that counts.
func (r *room) check(t *testing.T, e *Exercise, first func(said, stderr string)) (code int, said, stderr string) {
	t.Helper()
	code, said, stderr = r.do(t, "workshop", "check", fmt.Sprint(e.Number))
	if first != nil {
		first(said, stderr)
	}
	if strings.Contains(said, "not measured") || strings.Contains(said, "too slow") {
		t.Log(said)
		code, said, stderr = r.do(t, "workshop", "check", fmt.Sprint(e.Number), "--again")
	}
	return code, said, stderr
}

// mend does a code task: red when it begins, green when it is solved.
func (r *room) mend(t *testing.T, e *Exercise) {
	number := fmt.Sprint(e.Number)
	before := r.source(t)
	code, _, stderr := r.do(t, "workshop", "start", number)
	require.Equal(t, 0, code, stderr)
	require.NotEqual(t, before, r.source(t))
	code, said, stderr := r.check(t, e, nil)
	require.Equal(t, 1, code, said+stderr)
	require.Contains(t, said, "  NO   ", said+stderr)
	require.Contains(t, said, " rows exact", "it is the oracle that says so, and not a compiler or a run that broke off")
	t.Log(said)
	code, _, stderr = r.do(t, "workshop", "solve", number)
	require.Equal(t, 0, code, stderr)
	code, said, stderr = r.check(t, e, nil)
	require.Equal(t, 0, code, said+stderr)
	code, _, stderr = r.do(t, "workshop", "reset")
	require.Equal(t, 0, code, stderr)
	require.NoDirExists(t, filepath.Join(r.dir, keepFolder))
}
