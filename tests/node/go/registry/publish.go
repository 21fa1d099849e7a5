// publish: pushes docker-archives into the blobs of ROOT, through a registry that lives as long as the push.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func publish(ctx context.Context, root string, specs []string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handlers.NewApp(ctx, settings(root, false))}
	go server.Serve(listener)
	defer server.Close()
	for _, spec := range specs {
		if err := push(listener.Addr().String(), spec); err != nil {
			return fmt.Errorf("%s: %w", spec, err)
		}
	}
	return nil
}

// push publishes one NAME:TAG=ARCHIVE[@ARCH] as an index of one platform, as Docker Hub's own images are, and prints its digest.
func push(host, spec string) error {
	reference, archive, found := strings.Cut(spec, "=")
	if !found {
		return fmt.Errorf("not NAME:TAG=ARCHIVE")
	}
	archive, arch, found := strings.Cut(archive, "@")
	if !found {
		arch = "amd64"
	}
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.Architecture = arch
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return err
	}
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{
		Add:        image,
		Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
	})
	target, err := name.ParseReference(host+"/"+reference, name.Insecure)
	if err != nil {
		return err
	}
	if err := remote.WriteIndex(target, index); err != nil {
		return err
	}
	digest, err := index.Digest()
	if err == nil {
		fmt.Println(reference, digest)
	}
	return err
}
