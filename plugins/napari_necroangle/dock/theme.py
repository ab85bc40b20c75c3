"""The dock's own style, over napari's theme."""

__all__ = ["SHEET"]

SHEET = """
QLabel#necroangle_heading { font-weight: 600; color: #9fb4c7; padding-top: 2px; }
QFrame#necroangle_rule { color: #4a515c; max-height: 1px; background: #4a515c; }
QLabel#necroangle_instruction {
    background: #10344a; color: #eaf4fb; border-radius: 4px; padding: 6px 8px;
}
QLabel#necroangle_sum { font-size: 30px; font-weight: 600; color: #ffffff; }
QLabel#necroangle_grade { font-size: 16px; font-weight: 600; color: #ffffff; }
QLabel#necroangle_doubts { color: #f0c674; }
QLabel#necroangle_status { color: #c9d1d9; }
QLabel#necroangle_folder { color: #9fb4c7; font-size: 11px; }
QLabel#necroangle_keys { font-size: 11px; color: #c9d1d9; }
QLabel#necroangle_help {
    background: #1b222b; color: #eaf4fb; border: 1px solid #56b4e9; border-radius: 6px;
    padding: 14px 18px;
}
QFrame#necroangle_tour {
    background: #10344a; border: 1px solid #56b4e9; border-radius: 6px;
}
QFrame#necroangle_tour QLabel { color: #eaf4fb; background: transparent; }
QLabel#necroangle_tour_title { font-weight: 600; font-size: 14px; }
QLabel#necroangle_change { color: #e6b8d3; }
QFrame#necroangle_offer { background: #3a2f10; border: 1px solid #e69f00; border-radius: 4px; }
QFrame#necroangle_offer QLabel { color: #ffe9b8; background: transparent; }
QListWidget { background: #1b222b; border: 1px solid #4a515c; }
QListWidget::item:selected { background: #0072b2; color: #ffffff; }
QProgressBar { background: #1b222b; border: 1px solid #4a515c; border-radius: 3px; }
QProgressBar::chunk { background: #56b4e9; }
QPushButton#necroangle_fold { text-align: left; background: transparent; color: #c9d1d9; }
QPushButton#necroangle_step { padding: 4px 2px; }
QPushButton#necroangle_tool { padding: 3px 0px; }
QPushButton { padding: 3px 6px; }
QPushButton:checked { background: #0072b2; color: #ffffff; }
QPushButton:disabled { color: #767d87; }
QPushButton#necroangle_save { font-weight: 600; padding: 7px; }
QPushButton#necroangle_save:enabled { background: #0072b2; color: #ffffff; }
"""
