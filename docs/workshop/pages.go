// Package workshop holds the workshop's pages, and what its code tasks change, as files: people read them, and the
// program does what they say (go doc lambdakappa/bench/workshop).
package workshop

import "embed"

// Files are the pages, one exercise each, and the folder tasks.
//
//go:embed *.md tasks
var Files embed.FS
