// publish: pushes docker-archives into the blobs of ROOT, through a registry that lives as long as the push.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/google/go-containerregistry/pkg/compression"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
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
	if image, err = packed(image, arch); err != nil {
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

// packed is the image for an architecture, its layers packed with zstd: gzip takes half a minute more for Hermes', and each pull a second or two.
func packed(image v1.Image, arch string) (v1.Image, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Architecture = arch
	layers, err := image.Layers()
	if err != nil {
		return nil, err
	}
	for i, layer := range layers {
		layers[i], err = tarball.LayerFromOpener(layer.Uncompressed, tarball.WithCompression(compression.ZStd), tarball.WithCompressionLevel(1),
			tarball.WithMediaType(types.OCILayerZStd), tarball.WithCompressedCaching)
		if err != nil {
			return nil, err
		}
	}
	result, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), layers...)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(result, config)
}
