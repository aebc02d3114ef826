// Package results holds the committed reference run: what a full profile said on a named machine.
package results

import (
	"embed"
	"errors"
	"io/fs"
)

// A folder without a summary is a project whose reference run was not committed yet.
//
//go:embed reference
var files embed.FS

// Reference returns summary.json of the reference run; nil when none is committed.
func Reference() []byte {
	raw, err := files.ReadFile("reference/summary.json")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		panic(err) // embedded: it can be read
	}
	return raw
}
