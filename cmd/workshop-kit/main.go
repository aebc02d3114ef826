// Command workshop-kit packs what a laptop without a network needs for the workshop, one archive per system:
// the program, its source, the modules that it is built from, and a page that says how to begin. Go itself is
// not in there. It is run in a git checkout, by make workshop-kit.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "workshop-kit:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("workshop-kit", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("out", "dist", "`folder` for the archives")
	systems := flags.String("systems", strings.Join(systems, ","), "`names`, with commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	k, err := newKit(ctx, ".", stderr)
	if err != nil {
		return err
	}
	defer k.close()
	for _, name := range strings.Split(*systems, ",") {
		path, size, err := k.build(ctx, name, *out)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(stdout, "%6.1f MB  %s\n", float64(size)/1e6, path)
	}
	return nil
}
