"""Commands about images: what a folder holds, pictures, phantoms."""
