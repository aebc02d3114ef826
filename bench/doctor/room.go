package doctor

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/dustin/go-humanize"

	"lambdakappa/internal/proc"
)

// How much memory is enough. All processes of a run together have peaked at 0.9 GiB (full profile of all
// scenarios), and building the program takes as much beside it.
const (
	memoryNeeded = 1 << 30
	memoryAmple  = 2 << 30
)

func checkMemory(context.Context, Options) Check { return judgeMemory(proc.Memory()) }

func judgeMemory(installed, available uint64, err error) Check {
	c := Check{Name: "memory", Verdict: OK}
	if err != nil {
		c.Verdict, c.Says, c.Remedy = Warning, unknown, "8 GB are enough when 2 GB of them are free"
		return c
	}
	c.Says = fmt.Sprintf("%s free of %s", humanize.IBytes(available), humanize.IBytes(installed))
	switch {
	case available < memoryNeeded:
		c.Verdict, c.Remedy = Failed, "end other programs, browsers first: a run takes 1 GiB"
	case available < memoryAmple:
		c.Verdict, c.Remedy = Warning, "end other programs, browsers first: a run takes 1 GiB, and building as much"
	}
	return c
}

// How much of a disk is enough: a long run has some hundred MiB at a time, and a build from nothing takes
// 1.5 GiB for modules and build cache.
const (
	diskNeeded = 1 << 30
	diskAmple  = 4 << 30
)

// A place is a folder that things are written to.
type place struct {
	what, folder string
	remedy       string
}

func checkDisk(_ context.Context, o Options) Check {
	places := []place{
		{"here", o.Folder, "run it in a folder that has, --out of bench chooses one"},
		{"for temporary files", o.Temp, "set TMPDIR (on Windows TMP) to a folder that has"},
	}
	c := Check{Name: "disk", Verdict: OK}
	var says []string
	for _, p := range places {
		found := judgeDisk(p, func() (uint64, error) { return room(p.folder) })
		says = append(says, found.Says)
		if worse(found.Verdict, c.Verdict) {
			c.Verdict, c.Remedy = found.Verdict, found.Remedy
		}
	}
	c.Says = strings.Join(says, ", ")
	return c
}

// room is how much may be written to a folder, after a try.
func room(folder string) (uint64, error) {
	f, err := os.CreateTemp(folder, "lambdakappa-doctor-")
	if err != nil {
		return 0, err
	}
	_ = f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return 0, err
	}
	return proc.DiskFree(folder)
}

func judgeDisk(p place, free func() (uint64, error)) Check {
	c := Check{Verdict: OK}
	bytes, err := free()
	switch {
	case os.IsPermission(err):
		c.Verdict, c.Says, c.Remedy = Failed, p.what+" ("+p.folder+") nothing may be written", p.remedy
		return c
	case err != nil:
		c.Verdict, c.Says, c.Remedy = Warning, "room "+p.what+" "+unknown, "4 GiB are enough"
		return c
	}
	c.Says = fmt.Sprintf("%s free %s", humanize.IBytes(bytes), p.what)
	need := fmt.Sprintf("%s %s are enough; ", humanize.IBytes(diskAmple), p.what)
	switch {
	case bytes < diskNeeded:
		c.Verdict, c.Remedy = Failed, need+p.remedy
	case bytes < diskAmple:
		c.Verdict, c.Remedy = Warning, need+p.remedy
	}
	return c
}

func worse(a, b Verdict) bool {
	rank := map[Verdict]int{OK: 0, Warning: 1, Failed: 2}
	return rank[a] > rank[b]
}
