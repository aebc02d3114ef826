package scenarios

import (
	"embed"
	"fmt"
	"sync"
)

//go:embed *.yaml
var files embed.FS

// order is that in which the scenarios run: nothing is measured before answers are known to be
// right. A test holds it against the files.
var order = []string{
	"settled",
	"disturbed",
	"late",
	"boundary",
	"duplicates",
	"crash",
	"outage",
	"poison",
	"aa",
	"freshness",
	"replay",
	"deadline",
	"always-on",
	"ceiling",
	"spike",
	"order",
	"retention",
	"time-travel",
	"batch-app",
	"bugfix",
	"new-metric",
	"schema",
	"new-view",
	"one-sided",
	"code",
	"model",
	"tiers",
	"guarantees",
	"guarantee-cost",
	"scale-out",
}

// Builtin returns the scenarios of the project, in the order in which they run.
var Builtin = sync.OnceValue(func() []*Scenario {
	var all []*Scenario
	for _, name := range order {
		raw, err := files.ReadFile(name + ".yaml")
		if err != nil {
			panic(fmt.Sprintf("scenario %s: %s", name, err)) // embedded: a test reads them all
		}
		s, err := Parse(name+".yaml", raw)
		if err != nil {
			panic(err)
		}
		all = append(all, s)
	}
	return all
})
