package main

import (
	_ "embed" // the texts
	"strings"
	"text/template"
)

var (
	//go:embed texts/START.txt
	startText string
	//go:embed texts/GO.txt
	goText string
	//go:embed texts/kit.sh
	shellText string
	//go:embed texts/kit.cmd
	commandText string
)

// what the texts speak of.
type about struct {
	System    string // "windows/amd64"
	Revision  string
	Windows   bool
	Mac       bool
	GoNeeded  string // "go1.26.0"
	GoFound   string // that has built the kit
	Installer string // of it: the name of the file at go.dev/dl
}

// texts are the files of a kit that are written for it.
func (k *kit) texts(goos, goarch string) []file {
	a := about{
		System: goos + "/" + goarch, Revision: k.revision, Windows: goos == "windows", Mac: goos == "darwin",
		GoNeeded: k.goNeeded, GoFound: k.goFound,
		Installer: k.goFound + "." + goos + "-" + goarch + installer[goos],
	}
	files := []file{
		{name: "START.txt", text: a.fill(startText)},
		{name: "kit/GO.txt", text: a.fill(goText)},
	}
	if a.Windows {
		files = append(files, file{name: "kit.cmd", text: commandText})
		for i := range files { // cmd.exe and older editors want it so
			files[i].text = strings.ReplaceAll(files[i].text, "\n", "\r\n")
		}
		return files
	}
	return append(files, file{name: "kit.sh", text: shellText})
}

// installer is how the file ends that installs Go on a system.
var installer = map[string]string{"linux": ".tar.gz", "darwin": ".pkg", "windows": ".msi"}

// fill fills a text in. The texts are embedded, and a test fills in all of them.
func (a about) fill(text string) string {
	var b strings.Builder
	if err := template.Must(template.New("").Parse(text)).Execute(&b, a); err != nil {
		panic(err)
	}
	return b.String()
}
