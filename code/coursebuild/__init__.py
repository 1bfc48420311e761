"""How the course is made: training, notebooks, downloads, the site."""
