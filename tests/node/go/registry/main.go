// registry: the registry that plays Docker Hub on the node (serve), and the tool that fills it (publish).
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: registry serve ROOT ADDRESS | registry publish ROOT NAME:TAG=ARCHIVE[@ARCH]...")
		os.Exit(2)
	}
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve(context.Background(), os.Args[2], os.Args[3])
	case "publish":
		err = publish(context.Background(), os.Args[2], os.Args[3:])
	default:
		err = fmt.Errorf("unknown command %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}
