package lambda

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The ways in which the batch layer can say f. They publish the same, row for row.
const (
	// ByColumns is f written for columns, in batch.go: the second writing of the logic, and the
	// fastest way to read history.
	ByColumns = "columns"

	// ByEvents is the speed layer's own f, in speed.go, driven over history: one logic, two
	// runtimes (Boykin et al., "Summingbird", 2014).
	ByEvents = "events"
)

// A batchLogic folds rows of the master dataset, in the order of the log, into a batchFold.
type batchLogic interface {
	// names are the columns that it reads: the first of foldColumns.
	names() []string
	// add folds a batch of these columns.
	add(b *columnBatch) error
}

// batchLogics make a logic of a known version over what a batchFold knows. Lambda needs one of
// them; the size of its code is counted with either.
var batchLogics = map[string]func(f *batchFold, version string) batchLogic{
	ByColumns: newColumnFold, //bench:only lambda
	ByEvents:  newEventFold,  //bench:only lambda-shared
}

func checkLogic(name string) error {
	if batchLogics[name] == nil {
		return fmt.Errorf("logic %q: must be one of %s", name,
			strings.Join(slices.Sorted(maps.Keys(batchLogics)), ", "))
	}
	return nil
}
